import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';
import { decoderFields, headFields, problemsOf } from './config-fields.js';

const count = z.number().int().positive();
const factors = z.array(z.number().positive());

/** Rotary positions of one kind of layers, as transformers 4 (`rope_scaling`) and 5 (`rope_parameters`) write them. */
export const ropeFields = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  partial_rotary_factor: z.number().positive().max(1).optional(),
  factor: z.number().min(1).optional(),
  original_max_position_embeddings: count.optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  beta_fast: z.number().positive().nullish(),
  beta_slow: z.number().positive().nullish(),
  truncate: z.boolean().nullish(),
  attention_factor: z.number().positive().nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  short_factor: factors.optional(),
  long_factor: factors.optional(),
});

/** What `rope_parameters` or `rope_scaling` hold of one kind of layers. */
export type RopeFields = z.output<typeof ropeFields>;

/** Kinds of layers, as `layer_types` names them. */
export type LayerKind = 'full_attention' | 'sliding_attention';

/**
 * What the `config.json` of Llamas and their descendants have in common, of transformers 4 or 5; fields that do not
 * change the numbers are passed over.
 */
export const llamaLikeFields = {
  vocab_size: decoderFields.vocabularySize,
  hidden_size: decoderFields.width,
  num_hidden_layers: decoderFields.layers,
  num_attention_heads: decoderFields.heads,
  num_key_value_heads: decoderFields.heads.nullish(),
  head_dim: headFields.headSize.nullable(),
  intermediate_size: decoderFields.feedForward,
  max_position_embeddings: decoderFields.maximumTokens,
  rope_theta: z.number().positive().optional(),
  rope_parameters: z.looseObject({}).nullish(),
  rope_scaling: z.looseObject({}).nullish(),
  partial_rotary_factor: z.number().positive().max(1).optional(),
  original_max_position_embeddings: count.optional(),
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  initializer_range: z.number().positive().default(0.02),
} as const;

/** Fields of families whose layers may read a window. */
export const slidingFields = {
  sliding_window: count.nullish(),
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
} as const;

/** What `parseHuggingFace` gives of `llamaLikeFields`. */
export type LlamaLikeFields = z.output<z.ZodObject<typeof llamaLikeFields>>;

/**
 * What we read of a family's `config.json`. A field that is null is filled in as one that is absent, where null means
 * nothing of its own: where the schema does not take it.
 *
 * @param family Its name, for the message.
 * @throws UserLlmError `bad-config` that lists every field that is missing, wrong, or of what the family does not have.
 */
export function parseHuggingFace<S extends z.ZodObject>(family: string, schema: S, config: unknown): z.output<S> {
  const parsed = schema.safeParse(withoutNulls(schema, config));
  if (parsed.success) return parsed.data;
  throw badHuggingFace(family, problemsOf(parsed.error), parsed.error);
}

function withoutNulls({ shape }: z.ZodObject, config: unknown): unknown {
  if (typeof config !== 'object' || config === null) return config;
  const takesNull = (name: string): boolean => !Object.hasOwn(shape, name) || z.safeParse(shape[name]!, null).success;
  return Object.fromEntries(Object.entries(config).filter(([name, value]) => value !== null || takesNull(name)));
}

/** What is wrong with a `config.json`. */
export function badHuggingFace(family: string, got: string, cause?: unknown): UserLlmError {
  return new UserLlmError('bad-config', {
    what: 'config.json',
    expected: `that of a ${family}`,
    got,
    mend: 'Give a config.json as transformers 4 or 5 writes it; what this family cannot do is refused.',
    cause,
  });
}

/** Our common fields from Hugging Face's. */
export function llamaLikeFrom(data: LlamaLikeFields): Readonly<Record<string, unknown>> {
  const heads = data.num_attention_heads;
  const headSize = data.head_dim ?? data.hidden_size / heads;
  return {
    vocabularySize: data.vocab_size,
    width: data.hidden_size,
    layers: data.num_hidden_layers,
    heads,
    keyValueHeads: data.num_key_value_heads ?? heads,
    // Heads that do not divide the width are refused with all else that is wrong.
    ...(Number.isInteger(headSize) && { headSize }),
    feedForward: data.intermediate_size,
    maximumTokens: data.max_position_embeddings,
    normEpsilon: data.rms_norm_eps,
    tiedEmbedding: data.tie_word_embeddings,
    deviation: data.initializer_range,
  };
}

/** Hugging Face's common fields from ours; heads and their size must be filled in. */
export function llamaLikeTo(config: {
  readonly vocabularySize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly feedForward: number;
  readonly maximumTokens: number;
  readonly normEpsilon: number;
  readonly tiedEmbedding: boolean;
  readonly deviation: number;
}): Readonly<Record<string, unknown>> {
  return {
    dtype: 'float32',
    vocab_size: config.vocabularySize,
    hidden_size: config.width,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyValueHeads,
    head_dim: config.headSize,
    intermediate_size: config.feedForward,
    max_position_embeddings: config.maximumTokens,
    rms_norm_eps: config.normEpsilon,
    tie_word_embeddings: config.tiedEmbedding,
    initializer_range: config.deviation,
  };
}

/**
 * Which layers read the window alone: as `layer_types` says, else as the family has it.
 *
 * @param usual Whether a layer does, by its number, where the file does not say.
 */
export function windowFrom(
  family: string,
  { sliding_window, layer_types, num_hidden_layers }: z.output<z.ZodObject<typeof slidingFields>> & LlamaLikeFields,
  usual: (layer: number) => boolean,
): { readonly window?: number; readonly localLayers?: readonly number[] } {
  if (layer_types && layer_types.length !== num_hidden_layers)
    throw badHuggingFace(family, `layer_types: ${layer_types.length} kinds for ${num_hidden_layers} layers`);
  const kinds = layer_types ?? Array.from({ length: num_hidden_layers }, (_, layer) => kindOf(usual(layer)));
  const localLayers = kinds.flatMap((kind, layer) => (kind === 'sliding_attention' ? [layer] : []));
  if (localLayers.length > 0 && !sliding_window && layer_types)
    throw badHuggingFace(family, 'layer_types with sliding_attention, and no sliding_window');
  if (!sliding_window || localLayers.length === 0) return {};
  return { window: sliding_window, ...(localLayers.length < num_hidden_layers && { localLayers }) };
}

/** `sliding_window` and `layer_types` of a config. */
export function windowTo({
  layers,
  window,
  localLayers,
}: {
  readonly layers: number;
  readonly window?: number | undefined;
  readonly localLayers?: readonly number[] | undefined;
}): Readonly<Record<string, unknown>> {
  const local = (layer: number): boolean => window !== undefined && (localLayers?.includes(layer) ?? true);
  return {
    sliding_window: window ?? null,
    layer_types: Array.from({ length: layers }, (_, layer) => kindOf(local(layer))),
  };
}

const kindOf = (local: boolean): LayerKind => (local ? 'sliding_attention' : 'full_attention');

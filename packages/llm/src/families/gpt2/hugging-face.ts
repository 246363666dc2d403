import type { CheckpointFormat, StoredTensor } from '@user-llm/plugin';
import { z } from 'zod';
import { decoderFields, parseFamilyConfig } from '../config-fields.js';
import { parseHuggingFace } from '../hugging-face-fields.js';
import { ofEveryLayer } from '../state-dict.js';
import { gpt2Config, type Gpt2Config } from './config.js';

/** Our activations by Hugging Face's names; the first of a kind is the one we write. */
const activations = {
  gelu_new: 'gelu-tanh',
  gelu_pytorch_tanh: 'gelu-tanh',
  gelu: 'gelu',
  relu: 'relu',
  silu: 'silu',
} as const satisfies Readonly<Record<string, Gpt2Config['activation']>>;

const activationNames = Object.keys(activations) as (keyof typeof activations)[];

const huggingFaceGpt2 = z.looseObject({
  vocab_size: decoderFields.vocabularySize.default(50_257),
  n_positions: decoderFields.maximumTokens.default(1024),
  n_embd: decoderFields.width.default(768),
  n_layer: decoderFields.layers.default(12),
  n_head: decoderFields.heads.default(12),
  n_inner: decoderFields.feedForward.nullish(),
  activation_function: z.enum(activationNames).default('gelu_new'),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  initializer_range: z.number().positive().default(0.02),
  tie_word_embeddings: z.boolean().default(true),
  scale_attn_weights: z.literal(true).default(true),
  scale_attn_by_inverse_layer_idx: z.boolean().default(false),
  add_cross_attention: z.literal(false).default(false),
});

function fromHuggingFace(config: unknown): Gpt2Config {
  const data = parseHuggingFace('GPT-2', huggingFaceGpt2, config);
  return parseFamilyConfig('GPT-2', gpt2Config, {
    vocabularySize: data.vocab_size,
    width: data.n_embd,
    layers: data.n_layer,
    heads: data.n_head,
    feedForward: data.n_inner ?? 4 * data.n_embd,
    maximumTokens: data.n_positions,
    normEpsilon: data.layer_norm_epsilon,
    tiedEmbedding: data.tie_word_embeddings,
    deviation: data.initializer_range,
    activation: activations[data.activation_function],
    scoresByLayer: data.scale_attn_by_inverse_layer_idx,
  });
}

function toHuggingFace(config: Gpt2Config): Readonly<Record<string, unknown>> {
  return {
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    dtype: 'float32',
    vocab_size: config.vocabularySize,
    n_positions: config.maximumTokens,
    n_embd: config.width,
    n_layer: config.layers,
    n_head: config.heads,
    n_inner: config.feedForward,
    activation_function: activationNames.find((name) => activations[name] === config.activation),
    layer_norm_epsilon: config.normEpsilon,
    initializer_range: config.deviation,
    tie_word_embeddings: config.tiedEmbedding,
    scale_attn_weights: true,
    scale_attn_by_inverse_layer_idx: config.scoresByLayer,
  };
}

/** GPT-2's matrices are stored as `[inputs, outputs]`; queries, keys and values share one. */
function stateDict({ layers }: Gpt2Config): readonly StoredTensor[] {
  const part = (name: string, ...holds: readonly string[]): StoredTensor[] => [
    { name: `${name}.weight`, holds: holds.map((own) => `${own}.weight`), transposed: true },
    { name: `${name}.bias`, holds: holds.map((own) => `${own}.bias`) },
  ];
  const norm = (name: string, own: string): StoredTensor[] =>
    ['weight', 'bias'].map((kind) => ({ name: `${name}.${kind}`, holds: [`${own}.${kind}`] }));
  return [
    { name: 'transformer.wte.weight', holds: ['model.embed_tokens.weight'] },
    { name: 'transformer.wpe.weight', holds: ['model.embed_positions.weight'] },
    ...ofEveryLayer(layers, { ours: 'model.layers', theirs: 'transformer.h' }, [
      ...norm('ln_1', 'input_layernorm'),
      ...part('attn.c_attn', 'self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'),
      ...part('attn.c_proj', 'self_attn.o_proj'),
      ...norm('ln_2', 'post_attention_layernorm'),
      ...part('mlp.c_fc', 'mlp.up_proj'),
      ...part('mlp.c_proj', 'mlp.down_proj'),
    ]),
    ...norm('transformer.ln_f', 'model.norm'),
  ];
}

/** Checkpoints of GPT-2s. */
export const gpt2Checkpoints: CheckpointFormat<Gpt2Config> = {
  architectures: ['GPT2LMHeadModel'],
  modelType: 'gpt2',
  fromHuggingFace,
  toHuggingFace,
  stateDict,
};

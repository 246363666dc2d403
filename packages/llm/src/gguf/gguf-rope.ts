import type { GgufFile } from './gguf-file.js';
import type { GgufMetadata } from './gguf-metadata.js';

/** Tensors of factors that frequencies are divided by. */
const factorTensor = /^rope_(freqs|factors_long|factors_short)\.weight$/;

/** Keys of `ARCHITECTURE.rope.` that are read; whether a model was tuned for its scaling changes no number. */
const known = [
  'dimension_count',
  'freq_base',
  'scale_linear',
  'scaling.type',
  'scaling.factor',
  'scaling.original_context_length',
  'scaling.attn_factor',
  'scaling.finetuned',
  'scaling.yarn_beta_fast',
  'scaling.yarn_beta_slow',
];

/** Whether a tensor says what the config says, and is no parameter. */
export function isRopeTensor(name: string): boolean {
  return factorTensor.test(name);
}

/**
 * `rope_scaling` of the config.json that a file's rotary positions mean.
 *
 * @param name The architecture.
 * @param pairs How many pairs of a head are turned, each by a frequency of its own.
 * @param further Keys of `NAME.rope.` that the architecture reads itself.
 * @returns Nothing where positions are not scaled.
 * @throws UserLlmError `bad-config` for keys, kinds of scaling and combinations that are not read, `bad-checkpoint` for
 *   factors of another length.
 */
export async function ropeScaling(
  file: GgufFile,
  metadata: GgufMetadata,
  name: string,
  pairs: number,
  further: readonly string[] = [],
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const prefix = `${name}.rope.`;
  const strange = metadata.keys(prefix).find((key) => ![...known, ...further].includes(key.slice(prefix.length)));
  if (strange !== undefined) throw metadata.unread(strange, `keys of ${prefix} among ${known.join(', ')}`, 'another');
  const tensors = [...file.entries.keys()].filter(isRopeTensor).sort();
  const attention = metadata.number(`${prefix}scaling.attn_factor`) ?? 1;
  const scaling = scalingOf(metadata, prefix, tensors.length > 0);
  if (scaling && tensors.length > 0)
    throw metadata.unread(tensors[0]!, 'positions that are scaled in one way', `${String(scaling['rope_type'])} too`);
  const factors = (tensor: string): Promise<readonly number[]> => factorsOf(file, metadata, tensor, pairs);
  if (tensors.join() === 'rope_factors_long.weight,rope_factors_short.weight')
    return {
      rope_type: 'longrope',
      long_factor: await factors(tensors[0]!),
      short_factor: await factors(tensors[1]!),
      original_max_position_embeddings: metadata.requiredNumber(`${prefix}scaling.original_context_length`),
      attention_factor: attention,
    };
  if (attention !== 1)
    throw metadata.unread(`${prefix}scaling.attn_factor`, '1 without factors for each frequency', `${attention}`);
  if (tensors.length === 0) return scaling;
  if (tensors.join() !== 'rope_freqs.weight')
    throw metadata.unread(tensors[0]!, 'rope_freqs, or both rope_factors_long and rope_factors_short', tensors.join());
  return llama3Scaling(metadata, await factors(tensors[0]!), metadata.number(`${prefix}freq_base`) ?? 10_000);
}

/** The scaling that the metadata tell, as llama.cpp reads it: a factor alone is one of all frequencies. */
function scalingOf(
  metadata: GgufMetadata,
  prefix: string,
  byFactors: boolean,
): Readonly<Record<string, unknown>> | undefined {
  const factor = metadata.number(`${prefix}scaling.factor`) ?? metadata.number(`${prefix}scale_linear`);
  const type = metadata.text(`${prefix}scaling.type`) ?? (factor === undefined ? 'none' : 'linear');
  const before = metadata.number(`${prefix}scaling.original_context_length`);
  if (type === 'none' || (type === 'longrope' && byFactors)) return undefined;
  if (type === 'linear' && factor !== undefined) return { rope_type: type, factor };
  if (type === 'yarn' && factor !== undefined && before !== undefined)
    return {
      rope_type: type,
      factor,
      original_max_position_embeddings: before,
      beta_fast: metadata.number(`${prefix}scaling.yarn_beta_fast`),
      beta_slow: metadata.number(`${prefix}scaling.yarn_beta_slow`),
    };
  throw metadata.unread(
    `${prefix}scaling.type`,
    'none, linear with its factor, yarn with factor and original_context_length, or longrope with factors for each frequency',
    type,
  );
}

async function factorsOf(
  file: GgufFile,
  metadata: GgufMetadata,
  tensor: string,
  pairs: number,
): Promise<readonly number[]> {
  const { shape } = file.entries.get(tensor)!;
  if (shape.join() !== `${pairs}`)
    throw metadata.bad(tensor, `[${pairs}], one factor for each pair that is turned`, `[${shape.join(', ')}]`);
  return [...(await file.read(tensor)).data];
}

/** The scaling of Llama 3.1, of which files keep what each frequency is divided by. */
function llama3Scaling(
  metadata: GgufMetadata,
  factors: readonly number[],
  base: number,
): Readonly<Record<string, unknown>> {
  const [low, high, before] = [1, 4, 8192];
  const factor = factors.reduce((most, own) => Math.max(most, own), 1);
  const wrong = factors.findIndex((own, pair) => {
    const turns = (before * base ** (-pair / factors.length)) / (2 * Math.PI);
    const share = Math.min(Math.max((turns - low) / (high - low), 0), 1);
    return Math.abs(own * ((1 - share) / factor + share) - 1) > 1e-3;
  });
  if (wrong >= 0)
    throw metadata.bad('rope_freqs.weight', 'what Llama 3.1 divides frequencies by', `${factors[wrong]} at ${wrong}`);
  return {
    rope_type: 'llama3',
    factor,
    low_freq_factor: low,
    high_freq_factor: high,
    original_max_position_embeddings: before,
  };
}

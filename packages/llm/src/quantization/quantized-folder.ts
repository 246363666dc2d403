import { join } from 'node:path';
import { flattenParameters, type QuantizedFormat } from '@user-llm/graph';
import type { LanguageModel } from '@user-llm/plugin';
import { openSafetensors, UserLlmError, type NamedTensor, type SafetensorsSource, type Tensor } from '@user-llm/tensor';
import { z } from 'zod';
import { checkedWeights } from '../decoding/checked-weights.js';
import { QuantizedMatrix, type Weight } from './quantized-matrix.js';

/** What `quantization_config` of config.json says of folders that `saveQuantizedLanguageModel` writes. */
export const quantizationMethod = 'user-llm-blocks';

const method = z.looseObject({ quantization_config: z.looseObject({ quant_method: z.string() }).nullish() });

/**
 * Whether a folder holds matrices of few bits of ours, as its config.json says.
 *
 * @throws UserLlmError `unsupported-quantization` for those of others.
 */
export function isQuantized(path: string, config: unknown): boolean {
  const told = method.safeParse(config).data?.quantization_config?.quant_method;
  if (told === undefined || told === quantizationMethod) return told !== undefined;
  throw new UserLlmError('unsupported-quantization', {
    what: path,
    expected: `no quantization_config, or one of ${quantizationMethod}`,
    got: told,
    mend: 'Take the model in float32, float16 or bfloat16, and quantize it with user-llm-train llm quantize; or take its GGUF file.',
  });
}

/**
 * Tensors of a quantized folder, by our names: `NAME.codes`, `NAME.scales` and `NAME.offsets` for a matrix of few bits.
 *
 * @throws UserLlmError `missing-weight`, `shape-mismatch`.
 */
export function quantizedTensors(
  family: LanguageModel,
  config: unknown,
  weights: Readonly<Record<string, Weight>>,
): NamedTensor[] {
  const checked = checkedWeights(family.build(config).parameters, weights, '', true);
  return Object.entries(checked).flatMap(([name, weight]): NamedTensor[] => {
    if (!(weight instanceof QuantizedMatrix)) return [[name, weight]];
    const { codes, scales, offsets } = weight;
    const parts = { codes, scales, ...(offsets && { offsets }) };
    return Object.entries(parts).map(([kind, tensor]) => [`${name}.${kind}`, tensor as Tensor]);
  });
}

/**
 * The weights of a quantized folder, by our names. All names and shapes are checked before the first tensor is read.
 *
 * @throws UserLlmError `missing-weight`, `shape-mismatch`, `unknown-weight`, and what `openSafetensors` throws.
 */
export async function loadQuantizedWeights(
  folder: string,
  family: LanguageModel,
  config: unknown,
): Promise<Record<string, Weight>> {
  const parameters = flattenParameters(family.build(config).parameters);
  const source = await openSafetensors(join(folder, 'model.safetensors'));
  try {
    const there = new Set(source.names);
    const known = new Set<string>();
    for (const [name, { shape }] of parameters)
      for (const stored of requireParts(source, there, name, shape)) known.add(stored);
    const foreign = source.names.find((name) => !known.has(name));
    if (foreign !== undefined)
      throw problem('unknown-weight', foreign, `tensors of a ${family.name} of this config alone`, 'another');
    const weights: Record<string, Weight> = {};
    for (const [name, { axes, shape }] of parameters)
      weights[name] = there.has(name)
        ? ((await source.read(name, { axes, dtype: 'float32' })) as Tensor)
        : await readMatrix(source, name, shape[1]!, there.has(`${name}.offsets`));
    return weights;
  } finally {
    await source.close();
  }
}

/** The tensors that hold a parameter, their shapes checked. */
function requireParts(
  source: SafetensorsSource,
  there: ReadonlySet<string>,
  name: string,
  shape: readonly number[],
): readonly string[] {
  const shapeOf = (stored: string): readonly number[] => {
    if (there.has(stored)) return source.entry(stored).shape;
    throw problem('missing-weight', stored, `[${shape.join(', ')}], or its codes and scales`, 'no such tensor');
  };
  if (there.has(name) || !there.has(`${name}.codes`)) {
    requireEqual(name, shape, shapeOf(name));
    return [name];
  }
  const [rows, blocks, bytes] = shapeOf(`${name}.codes`) as readonly [number, number, number];
  const block = shape[1]! / blocks;
  const bits = (bytes * 8) / block;
  if (shape.length !== 2 || rows !== shape[0] || ![16, 32].includes(block) || ![4, 8].includes(bits))
    throw problem(
      'shape-mismatch',
      `${name}.codes`,
      `codes of [${shape.join(', ')}]`,
      `[${[rows, blocks, bytes].join(', ')}]`,
    );
  const perBlock = ['scales', 'offsets'].filter((kind) => kind === 'scales' || there.has(`${name}.${kind}`));
  for (const kind of perBlock) requireEqual(`${name}.${kind}`, [rows, blocks], shapeOf(`${name}.${kind}`));
  return [`${name}.codes`, ...perBlock.map((kind) => `${name}.${kind}`)];
}

function requireEqual(name: string, wanted: readonly number[], found: readonly number[]): void {
  if (wanted.join() !== found.join())
    throw problem('shape-mismatch', name, `[${wanted.join(', ')}], as config.json says`, `[${found.join(', ')}]`);
}

async function readMatrix(
  source: SafetensorsSource,
  name: string,
  width: number,
  hasOffsets: boolean,
): Promise<QuantizedMatrix> {
  const numbers = async (kind: string): Promise<Float32Array> =>
    (await source.read(`${name}.${kind}`, { dtype: 'float32' })).data;
  const codes = await source.read(`${name}.codes`, { dtype: 'uint8' });
  const [rows, blocks, bytes] = codes.shape as readonly [number, number, number];
  const scales = await numbers('scales');
  const offsets = hasOffsets ? await numbers('offsets') : undefined;
  const block = width / blocks;
  const format = { bits: (bytes * 8) / block, block } as QuantizedFormat;
  return new QuantizedMatrix(format, rows, codes.data, scales, offsets);
}

function problem(code: string, name: string, expected: string, got: string): UserLlmError {
  return new UserLlmError(code, {
    what: `weight ${name}`,
    expected,
    got,
    mend: 'Use config.json and model.safetensors of one quantized folder.',
  });
}

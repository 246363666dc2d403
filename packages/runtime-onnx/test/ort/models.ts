import type { ModelDType } from '../../src/element-type.js';
import { writeModel, type Dimension, type ModelInitializer } from '../../src/onnx-model.js';

/** y = x, for one dtype. */
export function identityModel(dtype: ModelDType, shape: readonly Dimension[]): Uint8Array {
  return writeModel({
    name: 'identity',
    inputs: [{ name: 'x', dtype, shape }],
    outputs: [{ name: 'y', dtype, shape }],
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }],
  });
}

/** y [rows, columns] = x [rows, inner] w, with `w` [inner, columns] inside the file, in memory, or as an input. */
export function matMulModel(inner: number, columns: number, weight?: ModelInitializer['data']): Uint8Array {
  const w = { name: 'w', dtype: 'float32', shape: [inner, columns] } as const;
  const x = { name: 'x', dtype: 'float32', shape: ['rows', inner] } as const;
  return writeModel({
    name: 'matmul',
    inputs: weight === undefined ? [x, w] : [x],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['rows', columns] }],
    initializers: weight === undefined ? [] : [{ ...w, data: weight }],
    nodes: [{ op: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
  });
}

/** y = x multiplied `times` times by a `width` x `width` matrix: work for as long as one likes. */
export function longModel(width: number, times: number): Uint8Array {
  const shape = [width, width];
  const name = (step: number): string => (step === 0 ? 'x' : step === times ? 'y' : `x${step}`);
  return writeModel({
    name: 'long',
    inputs: [
      { name: 'x', dtype: 'float32', shape },
      { name: 'w', dtype: 'float32', shape },
    ],
    outputs: [{ name: 'y', dtype: 'float32', shape }],
    nodes: Array.from({ length: times }, (_, step) => ({
      op: 'MatMul',
      inputs: [name(step), 'w'],
      outputs: [name(step + 1)],
    })),
  });
}

/** y = x multiplied by one `width` x `width` matrix in memory after the other, by their names. */
export function chainModel(width: number, matrices: readonly string[]): Uint8Array {
  const name = (step: number): string => (step === 0 ? 'x' : step === matrices.length ? 'y' : `x${step}`);
  return writeModel({
    name: 'chain',
    inputs: [{ name: 'x', dtype: 'float32', shape: ['rows', width] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['rows', width] }],
    initializers: matrices.map((matrix) => ({
      name: matrix,
      dtype: 'float32',
      shape: [width, width],
      data: 'memory',
    })),
    nodes: matrices.map((matrix, step) => ({ op: 'MatMul', inputs: [name(step), matrix], outputs: [name(step + 1)] })),
  });
}

/** A cache for `groupQueryModel`: key or value heads, tokens there is room for, and the width of a head. */
export interface CacheShape {
  readonly heads: number;
  readonly length: number;
  readonly headSize: number;
}

/**
 * One layer of attention over a cache of keys and values. Inputs: `query`, `key`, `value` [1, tokens, heads *
 * headSize], `pastKey` and `pastValue` [1, heads, past, headSize], `last` [1] and `total` (tokens so far, less one,
 * and tokens there is room for). Outputs: `y`, `presentKey`, `presentValue`.
 */
export function groupQueryModel({ heads, headSize }: Omit<CacheShape, 'length'>): Uint8Array {
  const tokens = [1, 'tokens', heads * headSize] as const;
  const cache = (length: string): readonly Dimension[] => [1, heads, length, headSize];
  return writeModel({
    name: 'cache',
    inputs: [
      ...['query', 'key', 'value'].map((name) => ({ name, dtype: 'float32', shape: tokens }) as const),
      { name: 'pastKey', dtype: 'float32', shape: cache('past') },
      { name: 'pastValue', dtype: 'float32', shape: cache('past') },
      { name: 'last', dtype: 'int32', shape: [1] },
      { name: 'total', dtype: 'int32', shape: [1] },
    ],
    outputs: [
      { name: 'y', dtype: 'float32', shape: tokens },
      { name: 'presentKey', dtype: 'float32', shape: cache('present') },
      { name: 'presentValue', dtype: 'float32', shape: cache('present') },
    ],
    nodes: [
      {
        op: 'GroupQueryAttention',
        domain: 'com.microsoft',
        inputs: ['query', 'key', 'value', 'pastKey', 'pastValue', 'last', 'total'],
        outputs: ['y', 'presentKey', 'presentValue'],
        attributes: { num_heads: BigInt(heads), kv_num_heads: BigInt(heads) },
      },
    ],
  });
}

/** y = the positions where `x` is not 0: an output whose size only the run tells. */
export function nonZeroModel(): Uint8Array {
  return writeModel({
    name: 'non-zero',
    inputs: [{ name: 'x', dtype: 'float32', shape: ['length'] }],
    outputs: [{ name: 'y', dtype: 'int64', shape: [1, 'found'] }],
    nodes: [{ op: 'NonZero', inputs: ['x'], outputs: ['y'] }],
  });
}

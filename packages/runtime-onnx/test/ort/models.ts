import type { BaseDType } from '@user-llm/tensor';
import { writeModel, type Dimension, type ModelInitializer } from '../../src/onnx-model.js';

/** y = x, for one dtype. */
export function identityModel(dtype: BaseDType, shape: readonly Dimension[]): Uint8Array {
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

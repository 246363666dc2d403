import type { Value } from '@user-llm/graph';
import { Tensor } from '@user-llm/tensor';
import type { ContextValues } from './decode-stepper.js';

/** The values that were made of host tensors. */
export const ownedOf = (values: Readonly<Record<string, Value>>, given: ContextValues): Value[] =>
  Object.entries(values).flatMap(([name, value]) => (given[name] === value ? [] : [value]));

/** Axes of a cache of keys or values. */
export const cacheAxes = ['batch', 'keyValueHead', 'place', 'headSize'] as const;

/** One whole number per sequence, `[axis]`. */
export function int32(values: readonly number[], axis = 'batch'): Tensor {
  return new Tensor('int32', [axis], [values.length], Int32Array.from(values)) as Tensor;
}

/** How many tokens each row has, `[batch]`. */
export const counts = (rows: readonly (readonly number[])[]): Tensor => int32(rows.map((row) => row.length));

/** `[batch, token]`, rows filled up with token 0, which nothing reads. */
export function padded(rows: readonly (readonly number[])[], width: number): Tensor {
  const data = new Int32Array(rows.length * width);
  rows.forEach((row, at) => {
    data.set(row, at * width);
  });
  return new Tensor('int32', ['batch', 'token'], [rows.length, width], data) as Tensor;
}

/** A value's content; the value is disposed of. */
export async function taken(value: Value, reuse?: Tensor): Promise<Tensor<'float32'>> {
  const tensor = await value.read(reuse);
  value.dispose();
  return tensor as Tensor<'float32'>;
}

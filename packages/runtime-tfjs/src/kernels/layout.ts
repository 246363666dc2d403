import type { Size } from '@user-llm/graph';
import type { EngineTensor, TensorFlow } from '../engine/engine.js';
import type { Kernel } from './kernel.js';

/** The same elements under another shape, in the same memory. */
export const reshape: Kernel = ([x], { tf, outputs: [output] }) => tf.reshape(x!, [...output!.shape]);

export const transpose: Kernel<{ readonly permutation: readonly number[] }> = ([x], { tf, attributes }) =>
  tf.transpose(x!, [...attributes.permutation]);

export const broadcastTo: Kernel = ([x], { tf, outputs: [output] }) => tf.broadcastTo(x!, [...output!.shape]);

export const concat: Kernel<{ readonly axis: number }> = (inputs, { tf, attributes: { axis } }) =>
  tf.concat([...inputs], axis);

export const slice: Kernel<{ readonly axis: number; readonly start: Size }> = (
  [x],
  { tf, attributes: { axis, start }, outputs: [output], size },
) => run(tf, x!, axis, size(start), output!.shape);

export const split: Kernel<{ readonly axis: number }> = ([x], { tf, attributes: { axis }, outputs }) => {
  let start = 0;
  return outputs.map(({ shape }) => {
    const part = run(tf, x!, axis, start, shape);
    start += shape[axis]!;
    return part;
  });
};

export const pad: Kernel<{
  readonly axis: number;
  readonly before: Size;
  readonly after: Size;
  readonly value: number;
}> = ([x], { tf, attributes: { axis, before, after, value }, size }) => {
  const counts = x!.shape.map((_, at): [number, number] => (at === axis ? [size(before), size(after)] : [0, 0]));
  return tf.pad(x!, counts, value);
};

/** A run of indices along one axis, as long as the result is there. */
function run(tf: TensorFlow, x: EngineTensor, axis: number, start: number, shape: readonly number[]): EngineTensor {
  const begin = x.shape.map((_, at) => (at === axis ? start : 0));
  return tf.slice(x, begin, [...shape]);
}

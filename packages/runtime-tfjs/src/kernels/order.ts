import type { Kernel } from './kernel.js';

/** The index of the largest element along an axis; of equal ones the first. */
export const argmax: Kernel<{ readonly axis: number }> = ([x], { tf, attributes: { axis } }) => tf.argMax(x!, axis);

/** The largest elements along an axis and their indices; of equal ones the lower index first. */
export const topK: Kernel<{ readonly axis: number; readonly k: number }> = ([x], { tf, attributes: { axis, k } }) => {
  const last = x!.shape.length - 1;
  const order = x!.shape.map((_, at) => (at === axis ? last : at === last ? axis : at));
  const { values, indices } = tf.topk(axis === last ? x! : tf.transpose(x!, order), k, true);
  return axis === last ? [values, indices] : [tf.transpose(values, order), tf.transpose(indices, order)];
};

/** Sums of all elements up to each one. */
export const cumulativeSum: Kernel<{
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
}> = ([x], { tf, attributes: { axis, exclusive, reverse } }) => tf.cumsum(x!, axis, exclusive, reverse);

import type { EngineTensor, TensorFlow } from '../engine/engine.js';
import { filled, type Kernel } from './kernel.js';

interface ReduceAttributes {
  readonly axes: readonly number[];
  readonly keepAxes: boolean;
}

/** A reduction; the kernels leave the result unwritten where nothing is reduced, so it is `empty` there. */
function reduction(
  f: (tf: TensorFlow, x: EngineTensor, axes: number[], keepAxes: boolean) => EngineTensor,
  empty: number,
): Kernel<ReduceAttributes> {
  return ([x], { tf, attributes: { axes, keepAxes }, outputs: [output] }) =>
    x!.size === 0 ? filled(tf, output!, empty) : f(tf, x!, [...axes], keepAxes);
}

export const sum = reduction((tf, x, axes, keepAxes) => tf.sum(x, axes, keepAxes), 0);
export const mean = reduction((tf, x, axes, keepAxes) => tf.mean(x, axes, keepAxes), NaN);
export const max = reduction((tf, x, axes, keepAxes) => tf.max(x, axes, keepAxes), -Infinity);
export const min = reduction((tf, x, axes, keepAxes) => tf.min(x, axes, keepAxes), Infinity);

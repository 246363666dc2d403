import type { EngineTensor, TensorFlow } from '../engine/engine.js';
import type { Kernel } from './kernel.js';

type OverLastAxis = (tf: TensorFlow, x: EngineTensor) => EngineTensor;

/** A kernel over any axis from one over the last. */
function overAxis(f: OverLastAxis): Kernel<{ readonly axis: number }> {
  return ([x], { tf, attributes: { axis } }) => {
    const last = x!.shape.length - 1;
    if (axis === last) return f(tf, x!);
    const order = x!.shape.map((_, at) => (at === axis ? last : at === last ? axis : at));
    return tf.transpose(f(tf, tf.transpose(x!, order)), order);
  };
}

export const softmax = overAxis((tf, x) => tf.softmax(x));
export const logSoftmax = overAxis((tf, x) => tf.logSoftmax(x));

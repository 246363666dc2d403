import { UserLlmError } from '@user-llm/tensor';
import type { EngineTensor, TensorFlow } from '../engine/engine.js';
import type { Kernel } from './kernel.js';

/** The names of TensorFlow.js's functions of two tensors that are used here; all broadcast. */
type BinaryName = 'add' | 'sub' | 'mul' | 'pow' | 'equal' | 'logicalAnd' | 'logicalOr';

/** A kernel that is one function of TensorFlow.js. */
export function binary(name: BinaryName): Kernel {
  return ([x, y], { tf }) => tf[name](x!, y!);
}

/** A comparison; TensorFlow orders no conditions, so these are compared as numbers. */
export function comparison(name: 'less' | 'lessEqual'): Kernel {
  return ([x, y], { tf }) =>
    x!.dtype === 'bool' ? tf[name](tf.cast(x!, 'int32'), tf.cast(y!, 'int32')) : tf[name](x!, y!);
}

/**
 * The larger or smaller of two tensors, NaN where either is NaN; the WebAssembly kernel loses a NaN of the second.
 */
export function extremum(name: 'maximum' | 'minimum'): Kernel {
  return ([x, y], { tf, wasm }) =>
    wasm && y!.dtype === 'float32' ? tf.where(tf.isNaN(y!), y!, tf[name](x!, y!)) : tf[name](x!, y!);
}

/**
 * Division. Whole numbers are divided on the host: TensorFlow.js rounds their quotient down instead of towards zero,
 * and the WebAssembly kernel divides them as float32, which is wrong above 2^24.
 */
export const divide: Kernel = ([x, y], { tf, outputs: [output] }) =>
  x!.dtype === 'int32' ? onHost(tf, 'divide', x!, y!, output!.shape, (a, b) => a / b) : tf.div(x!, y!);

/** The remainder with the sign of the divisor. */
export const modulo: Kernel = ([x, y], { tf, outputs: [output] }) =>
  onHost(tf, 'modulo', x!, y!, output!.shape, (a, b) => a - b * Math.floor(a / b));

/** Elements of one tensor or another; the WebAssembly kernel cannot choose among conditions. */
export const where: Kernel = ([condition, x, y], { tf, wasm }) =>
  wasm && x!.dtype === 'bool'
    ? tf.cast(tf.where(condition!, tf.cast(x!, 'int32'), tf.cast(y!, 'int32')), 'bool')
    : tf.where(condition!, x!, y!);

/** Whole numbers, element by element, in JavaScript's float64, which holds them exactly. */
function onHost(
  tf: TensorFlow,
  what: string,
  x: EngineTensor,
  y: EngineTensor,
  shape: readonly number[],
  f: (a: number, b: number) => number,
): EngineTensor {
  const left = tf.broadcastTo(x, [...shape]).dataSync() as Int32Array;
  const right = tf.broadcastTo(y, [...shape]).dataSync() as Int32Array;
  const result = new Int32Array(left.length);
  for (let index = 0; index < result.length; index++) {
    if (right[index] === 0) {
      throw new UserLlmError('division-by-zero', {
        what: `${what} of whole numbers`,
        expected: 'divisors other than 0',
        got: `0 at element ${index}`,
        mend: 'Replace such divisors with where before dividing.',
      });
    }
    result[index] = f(left[index]!, right[index]!);
  }
  return tf.tensor(result, [...shape], 'int32');
}

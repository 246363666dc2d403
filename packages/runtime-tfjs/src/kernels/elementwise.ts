import type { EngineTensor, TensorFlow } from '../engine/engine.js';
import type { Kernel } from './kernel.js';

/** The names of TensorFlow.js's functions of one tensor that are used here. */
type UnaryName =
  | 'neg'
  | 'abs'
  | 'floor'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'reciprocal'
  | 'sin'
  | 'cos'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'relu'
  | 'logicalNot';

/** A kernel that is one function of TensorFlow.js. */
export function unary(name: UnaryName): Kernel {
  return ([x], { tf }) => tf[name](x!);
}

/** -1, 0 or 1; the WebAssembly kernel makes 0 of NaN. */
export const sign: Kernel = ([x], { tf, wasm }) =>
  wasm && x!.dtype === 'float32' ? tf.where(tf.isNaN(x!), x!, tf.sign(x!)) : tf.sign(x!);

/** Conversion of element types. The WebAssembly kernel cuts numbers to a byte where conditions are wanted. */
export const cast: Kernel<{ readonly dtype: string }> = ([x], { tf, outputs: [output] }) =>
  castTo(tf, x!, output!.dtype);

/** A tensor in another dtype of the graph. */
export function castTo(tf: TensorFlow, x: EngineTensor, dtype: string): EngineTensor {
  if (dtype === 'bool') return x.dtype === 'bool' ? x : tf.notEqual(x, tf.scalar(0, x.dtype as 'int32'));
  return tf.cast(x, dtype === 'float32' ? 'float32' : 'int32');
}

/** The tensor itself. */
export const identity: Kernel = ([x]) => x!;

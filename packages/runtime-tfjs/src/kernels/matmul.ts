import { elements } from '@user-llm/tensor';
import type { EngineTensor, TensorFlow } from '../engine/engine.js';
import { filled, type Kernel } from './kernel.js';

interface MatmulAttributes {
  readonly transposeLeft: boolean;
  readonly transposeRight: boolean;
  readonly scale: number;
}

/** Products of one pair of matrices from which on WebAssembly computes them one by one. */
const largeProduct = 2 ** 21;

/** The product of matrices in the last two axes. */
export const matmul: Kernel<MatmulAttributes> = ([left, right], context) => {
  const { tf, wasm, attributes, outputs } = context;
  const product = wasm
    ? wasmProduct(tf, left!, right!, attributes, outputs[0]!.shape)
    : nativeProduct(tf, left!, right!, attributes, outputs[0]!.shape);
  return attributes.scale === 1 ? product : tf.mul(product, attributes.scale);
};

function nativeProduct(
  tf: TensorFlow,
  left: EngineTensor,
  right: EngineTensor,
  { transposeLeft, transposeRight }: MatmulAttributes,
  shape: readonly number[],
): EngineTensor {
  return tf.reshape(tf.matMul(left, right, transposeLeft, transposeRight), [...shape]);
}

/**
 * The product by the WebAssembly kernels, whose fast form (XNNPACK, 10 to 20 times the speed of the other, measured
 * with 2 threads) takes two matrices that are not transposed: operands are transposed beforehand, a batch with shared
 * weights becomes one matrix, and large matrices of a batch are multiplied one by one. An empty sum of products
 * leaves memory unwritten, and operands that both stretch are paired wrongly, so both are handled here.
 */
function wasmProduct(
  tf: TensorFlow,
  left: EngineTensor,
  right: EngineTensor,
  { transposeLeft, transposeRight }: MatmulAttributes,
  shape: readonly number[],
): EngineTensor {
  const x = transposeLeft ? transposeLast(tf, left) : left;
  const y = transposeRight ? transposeLast(tf, right) : right;
  const [rows, inner, columns] = [x.shape.at(-2)!, x.shape.at(-1)!, y.shape.at(-1)!];
  if (inner === 0) return filled(tf, { dtype: 'float32', shape });
  const batch = shape.slice(0, -2);
  if (elements(y.shape.slice(0, -2)) === 1) {
    const product = tf.matMul(tf.reshape(x, [-1, inner]), tf.reshape(y, [inner, columns]));
    return tf.reshape(product, [...shape]);
  }
  const xs = tf.reshape(tf.broadcastTo(x, [...batch, rows, inner]), [-1, rows, inner]);
  const ys = tf.reshape(tf.broadcastTo(y, [...batch, inner, columns]), [-1, inner, columns]);
  if (rows * inner * columns < largeProduct) return tf.reshape(tf.matMul(xs, ys), [...shape]);
  const others = tf.unstack(ys);
  const products = tf.unstack(xs).map((matrix, index) => tf.matMul(matrix, others[index]!));
  return tf.reshape(tf.stack(products), [...shape]);
}

function transposeLast(tf: TensorFlow, x: EngineTensor): EngineTensor {
  const rank = x.shape.length;
  const order = x.shape.map((_, axis) => axis);
  [order[rank - 2], order[rank - 1]] = [rank - 1, rank - 2];
  return tf.transpose(x, order);
}

import { elements, UserLlmError } from '@user-llm/tensor';
import type { EngineTensor, TensorFlow } from '../engine/engine.js';
import { filled, type Kernel } from './kernel.js';

interface AxisAttributes {
  readonly axis: number;
}

/**
 * Slices along an axis. It goes through `gatherND`, which both backends do fast: WebAssembly's `gather` took 18 to 28
 * times as long.
 */
export const gather: Kernel<AxisAttributes> = ([x, indices], { tf, attributes: { axis }, outputs: [output] }) => {
  readIndices('gather', indices!, x!.shape[axis]!);
  const order = [axis, ...x!.shape.map((_, at) => at).filter((at) => at !== axis)];
  const front = axis === 0 ? x! : tf.transpose(x!, order);
  const taken = tf.gatherND(front, tf.reshape(indices!, [-1, 1]));
  if (axis === 0) return tf.reshape(taken, [...output!.shape]);
  // [indices, before, after] -> [before, indices, after]
  const back = [...order.keys()].slice(1);
  back.splice(axis, 0, 0);
  return tf.reshape(tf.transpose(taken, back), [...output!.shape]);
};

/** Rows added up by index; repeated indices add up exactly, in order. */
export const scatterAdd: Kernel = ([indices, updates], { tf, outputs: [output] }) => {
  readIndices('scatterAdd', indices!, output!.shape[0]!);
  if (updates!.size === 0) return filled(tf, output!);
  return tf.scatterND(tf.reshape(indices!, [-1, 1]), updates!, [...output!.shape]);
};

/** For every position, the element at a chosen index along one axis. */
export const takeAlong: Kernel<AxisAttributes> = ([x, indices], { tf, attributes: { axis }, outputs: [output] }) => {
  const places = flatPlaces(tf, 'takeAlong', indices!, axis, x!.shape[axis]!);
  return tf.reshape(tf.gatherND(tf.reshape(x!, [-1]), places), [...output!.shape]);
};

/** A tensor with numbers added at chosen indices along one axis. */
export const addAlong: Kernel<AxisAttributes> = ([x, indices, updates], { tf, attributes: { axis } }) => {
  if (indices!.size === 0) return x!;
  const places = flatPlaces(tf, 'addAlong', indices!, axis, x!.shape[axis]!);
  const added = tf.scatterND(places, tf.reshape(updates!, [-1]), [x!.size]);
  return tf.add(x!, tf.reshape(added, x!.shape));
};

/** Rows with a 1 at each index, by comparison: TensorFlow.js's own wants at least two classes. */
export const oneHot: Kernel = ([indices], { tf, outputs: [output] }) => {
  const classes = tf.tensor1d(Int32Array.from(Array(output!.shape.at(-1)!).keys()), 'int32');
  return tf.cast(tf.equal(tf.expandDims(indices!, -1), classes), 'float32');
};

/** The place in the flat tensor of every chosen element, `[count, 1]`. */
function flatPlaces(tf: TensorFlow, what: string, indices: EngineTensor, axis: number, size: number): EngineTensor {
  const chosen = readIndices(what, indices, size);
  const inner = elements(indices.shape.slice(axis + 1));
  const block = indices.shape[axis]! * inner;
  const places = chosen.map((index, at) => (Math.floor(at / block) * size + index) * inner + (at % inner));
  return tf.tensor2d(places, [places.length, 1], 'int32');
}

/** Indices on the host, checked: the WebAssembly kernels read and write wherever an index points. */
function readIndices(what: string, indices: EngineTensor, size: number): Int32Array {
  const values = indices.dataSync() as Int32Array;
  const wrong = values.find((index) => index < 0 || index >= size);
  if (wrong !== undefined) {
    throw new UserLlmError('out-of-range', {
      what,
      expected: `indices from 0 to ${size - 1}`,
      got: `${wrong}`,
      mend: 'Map unknown ids to a row of their own before.',
    });
  }
  return values;
}

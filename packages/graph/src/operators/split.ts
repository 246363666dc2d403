import type { Axes, DType } from '@user-llm/tensor';
import { movementCost } from '../cost.js';
import { axisIndex, mismatch, requireAxis } from '../inference.js';
import { apply, definePrimitive } from '../operator.js';
import { aroundAxis, referenceArray } from '../reference-kernels.js';
import { addSizes, sameSize, type Size } from '../size.js';
import type { Symbolic } from '../symbolic.js';
import { rawBroadcastTo } from './broadcast.js';
import { rawConcat } from './concat.js';
import { scalarLike } from './elementwise.js';

/** Attributes of `split`. */
export interface SplitAttributes {
  readonly axis: number;
  readonly sizes: readonly Size[];
}

/** A tensor cut into several along one axis. */
export const splitOperator = definePrimitive<SplitAttributes>({
  name: 'split',
  infer: ([x], { axis, sizes }) => {
    requireAxis('split', x!, axis);
    if (!sameSize(sizes.reduce<Size>(addSizes, 0), x!.shape[axis]!)) {
      throw mismatch('split', `sizes [${sizes.join(', ')}] that add up to that of ${x!.axes[axis]}`, [x!]);
    }
    return sizes.map((size) => ({ ...x!, shape: x!.shape.map((old, at) => (at === axis ? size : old)) }));
  },
  gradient: ({ outputs, attributes: { axis } }, gradients) => {
    if (gradients.every((g) => g === undefined)) return [undefined];
    const filled = outputs.map(
      (output, index) => gradients[index] ?? rawBroadcastTo(scalarLike(output, 0), output.axes, output.shape),
    );
    return [rawConcat(filled, axis)];
  },
  cost: (_, outputs) => ({
    flops: 0,
    bytes: outputs.reduce((total, output) => total + movementCost([output]).bytes, 0),
  }),
  onnx: (emitter, [x], { attributes: { axis, sizes } }) =>
    emitter.emit('Split', [x!.name, emitter.sizes(sizes)], { axis: { int: axis } }, { outputs: sizes.length }),
  reference: ([x], { attributes: { axis }, outputs }) => {
    const { outer, size, inner } = aroundAxis(x!.shape, axis);
    let start = 0;
    return outputs.map((output) => {
      const result = referenceArray(x!.dtype, output.shape);
      const rows = output.shape[axis]! * inner;
      for (let at = 0; at < outer; at++) {
        const begin = at * size * inner + start;
        result.data.set(x!.data.subarray(begin, begin + rows), at * rows);
      }
      start += rows;
      return result;
    });
  },
  examples: [
    { name: 'three parts', inputs: [{ shape: [2, 6] }], attributes: { axis: 1, sizes: [1, 3, 2] } },
    { name: 'first axis', inputs: [{ shape: [4, 2] }], attributes: { axis: 0, sizes: [2, 2] } },
    { name: 'empty part', inputs: [{ shape: [3, 2] }], attributes: { axis: 0, sizes: [0, 3] } },
    { name: 'empty', inputs: [{ shape: [4, 0] }], attributes: { axis: 0, sizes: [3, 1] } },
    { name: 'one part', inputs: [{ shape: [3, 1] }], attributes: { axis: 0, sizes: [3] } },
  ],
});

/**
 * A tensor cut into several along one axis.
 *
 * @param sizes How long the parts are; they add up to the axis's size.
 * @throws UserLlmError `shape-mismatch` when they do not.
 */
export function split<D extends DType, A extends Axes>(
  x: Symbolic<D, A>,
  axis: A[number],
  sizes: readonly Size[],
): Symbolic<D, A>[] {
  return apply(splitOperator, [x], { axis: axisIndex('split', x, axis), sizes }) as Symbolic<D, A>[];
}

import { UserLlmError, type Axes, type DType } from '@user-llm/tensor';
import { movementCost } from '../cost.js';
import { axisIndex, requireAxis, typeText } from '../inference.js';
import { applyOne, definePrimitive } from '../operator.js';
import { aroundAxis, referenceArray } from '../reference-kernels.js';
import { sameSize, subtractSizes, type Size } from '../size.js';
import type { Symbolic } from '../symbolic.js';
import { rawPad } from './pad.js';

/** Attributes of `slice`. */
export interface SliceAttributes {
  readonly axis: number;
  /** First index taken. */
  readonly start: Size;
  /** First index not taken any more. */
  readonly end: Size;
}

/** A run of indices along one axis. */
export const sliceOperator = definePrimitive<SliceAttributes>({
  name: 'slice',
  infer: ([x], { axis, start, end }) => {
    requireAxis('slice', x!, axis);
    const size = x!.shape[axis]!;
    const known = typeof start === 'number' && typeof end === 'number';
    const wrong = known && (start < 0 || end < start || (typeof size === 'number' && end > size));
    if (wrong) {
      throw new UserLlmError('out-of-range', {
        what: 'slice',
        expected: `0 <= start <= end <= ${size}`,
        got: `${start} to ${end} of axis ${x!.axes[axis]} of ${typeText(x!)}`,
      });
    }
    return [{ ...x!, shape: x!.shape.map((old, at) => (at === axis ? subtractSizes(end, start) : old)) }];
  },
  gradient: ({ inputs: [x], attributes: { axis, start, end } }, [g]) => [
    g && rawPad(g, axis, start, subtractSizes(x!.shape[axis]!, end), 0),
  ],
  cost: (_, outputs) => movementCost(outputs),
  onnx: (emitter, [x], { attributes: { axis, start, end } }) =>
    emitter.emit('Slice', [
      x!.name,
      emitter.sizes([start]),
      emitter.sizes([end]),
      emitter.constant('int64', [1], [axis]),
    ]),
  reference: ([x], { attributes: { axis, start }, outputs: [output], size: evaluate }) => {
    const result = referenceArray(x!.dtype, output!.shape);
    const { outer, size, inner } = aroundAxis(output!.shape, axis);
    const from = evaluate(start);
    for (let at = 0; at < outer; at++) {
      const begin = (at * x!.shape[axis]! + from) * inner;
      result.data.set(x!.data.subarray(begin, begin + size * inner), at * size * inner);
    }
    return [result];
  },
  examples: [
    { name: 'middle', inputs: [{ shape: [2, 5] }], attributes: { axis: 1, start: 1, end: 4 } },
    { name: 'first axis', inputs: [{ shape: [4, 2] }], attributes: { axis: 0, start: 2, end: 4 } },
    { name: 'nothing', inputs: [{ shape: [4, 2] }], attributes: { axis: 0, start: 1, end: 1 } },
    { name: 'empty', inputs: [{ shape: [0, 4] }], attributes: { axis: 1, start: 1, end: 3 } },
    { name: 'all', inputs: [{ shape: [1, 2] }], attributes: { axis: 0, start: 0, end: 1 } },
  ],
});

/** @internal The tensor itself where everything is taken. */
export function rawSlice(x: Symbolic, axis: number, start: Size, end: Size): Symbolic {
  return sameSize(start, 0) && sameSize(end, x.shape[axis]!) ? x : applyOne(sliceOperator, [x], { axis, start, end });
}

/**
 * A run of indices along one axis.
 *
 * @param start First index taken.
 * @param end First index not taken any more; the axis's size unless told.
 * @throws UserLlmError `out-of-range` when the indices do not lie within the axis.
 */
export function slice<D extends DType, A extends Axes>(
  x: Symbolic<D, A>,
  axis: A[number],
  start: Size,
  end?: Size,
): Symbolic<D, A> {
  const index = axisIndex('slice', x, axis);
  return rawSlice(x, index, start, end ?? x.shape[index]!) as Symbolic<D, A>;
}

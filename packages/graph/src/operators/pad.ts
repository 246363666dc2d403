import { UserLlmError, type Axes, type DType } from '@user-llm/tensor';
import { movementCost } from '../cost.js';
import { axisIndex, requireAxis, typeText } from '../inference.js';
import { applyOne, definePrimitive } from '../operator.js';
import { aroundAxis, referenceArray } from '../reference-kernels.js';
import { addSizes, sameSize, type Size } from '../size.js';
import type { Symbolic } from '../symbolic.js';
import { rawSlice } from './slice.js';

/** Attributes of `pad`. */
export interface PadAttributes {
  readonly axis: number;
  readonly before: Size;
  readonly after: Size;
  readonly value: number;
}

/** A tensor made longer along one axis. */
export const padOperator = definePrimitive<PadAttributes>({
  name: 'pad',
  infer: ([x], { axis, before, after }) => {
    requireAxis('pad', x!, axis);
    if ([before, after].some((size) => typeof size === 'number' && size < 0)) {
      throw new UserLlmError('out-of-range', {
        what: 'pad',
        expected: 'counts from 0 up',
        got: `${before} and ${after} on ${typeText(x!)}`,
      });
    }
    return [
      { ...x!, shape: x!.shape.map((size, at) => (at === axis ? addSizes(addSizes(before, size), after) : size)) },
    ];
  },
  gradient: ({ inputs: [x], attributes: { axis, before } }, [g]) => [
    g && rawSlice(g, axis, before, addSizes(before, x!.shape[axis]!)),
  ],
  cost: (_, outputs) => movementCost(outputs),
  onnx: (emitter, [x], { attributes: { axis, before, after, value } }) =>
    emitter.emit('Pad', [
      x!.name,
      emitter.sizes([before, after]),
      emitter.constant(x!.dtype, [], [value]),
      emitter.constant('int64', [1], [axis]),
    ]),
  reference: ([x], { attributes: { axis, before, value }, outputs: [output], size: evaluate }) => {
    const result = referenceArray(x!.dtype, output!.shape);
    result.data.fill(value);
    const { outer, size, inner } = aroundAxis(output!.shape, axis);
    const rows = x!.shape[axis]! * inner;
    for (let at = 0; at < outer; at++) {
      result.data.set(x!.data.subarray(at * rows, (at + 1) * rows), (at * size + evaluate(before)) * inner);
    }
    return [result];
  },
  examples: [
    { name: 'both sides', inputs: [{ shape: [2, 3] }], attributes: { axis: 1, before: 1, after: 2, value: 0 } },
    { name: 'with a value', inputs: [{ shape: [2, 3] }], attributes: { axis: 0, before: 0, after: 1, value: -1.5 } },
    {
      name: 'whole numbers',
      inputs: [{ dtype: 'int32', shape: [2, 2], values: { below: 9 } }],
      attributes: { axis: 1, before: 2, after: 0, value: 7 },
    },
    { name: 'size 1', inputs: [{ shape: [1, 1] }], attributes: { axis: 1, before: 0, after: 0, value: 0 } },
    { name: 'empty', inputs: [{ shape: [0, 2] }], attributes: { axis: 0, before: 1, after: 1, value: 3 } },
  ],
});

/** @internal The tensor itself where nothing is added. */
export function rawPad(x: Symbolic, axis: number, before: Size, after: Size, value: number): Symbolic {
  return sameSize(before, 0) && sameSize(after, 0) ? x : applyOne(padOperator, [x], { axis, before, after, value });
}

/**
 * A tensor made longer along one axis.
 *
 * @param before How many elements to put before, and `after` how many behind.
 * @param value What they are, 0 unless told.
 */
export function pad<D extends DType, A extends Axes>(
  x: Symbolic<D, A>,
  axis: A[number],
  before: Size,
  after: Size,
  value = 0,
): Symbolic<D, A> {
  return rawPad(x, axisIndex('pad', x, axis), before, after, value) as Symbolic<D, A>;
}

import { elements, type Axes, type DType } from '@user-llm/tensor';
import { elementwiseCost } from '../cost.js';
import { axisIndex, requireAxis } from '../inference.js';
import { applyOne, definePrimitive, type PrimitiveOperator } from '../operator.js';
import { aroundAxis, referenceArray, wrapped } from '../reference-kernels.js';
import type { Symbolic } from '../symbolic.js';

/** Attributes of `cumulativeSum`. */
export interface CumulativeSumAttributes {
  readonly axis: number;
  /** Whether an element's own value is left out of its sum. */
  readonly exclusive: boolean;
  /** Whether sums run from the end. */
  readonly reverse: boolean;
}

/** Sums of all elements up to each one along an axis. */
export const cumulativeSumOperator: PrimitiveOperator<CumulativeSumAttributes> =
  definePrimitive<CumulativeSumAttributes>({
    name: 'cumulativeSum',
    infer: ([x], { axis }) => {
      requireAxis('cumulativeSum', x!, axis);
      return [x!];
    },
    gradient: ({ attributes }, [g]) => [
      g && applyOne(cumulativeSumOperator, [g], { ...attributes, reverse: !attributes.reverse }),
    ],
    cost: elementwiseCost,
    onnx: (emitter, [x], { attributes: { axis, exclusive, reverse } }) =>
      emitter.emit('CumSum', [x!.name, emitter.constant('int64', [], [axis])], {
        exclusive: { int: Number(exclusive) },
        reverse: { int: Number(reverse) },
      }),
    reference: ([x], { attributes: { axis, exclusive, reverse } }) => {
      const result = referenceArray(x!.dtype, x!.shape);
      const { size, inner } = aroundAxis(x!.shape, axis);
      for (let line = 0; line < elements(x!.shape) / Math.max(size, 1); line++) {
        const start = Math.floor(line / inner) * size * inner + (line % inner);
        let total = 0;
        for (let step = 0; step < size; step++) {
          const at = start + (reverse ? size - 1 - step : step) * inner;
          const sum = wrapped(x!.dtype, total + x!.data[at]!);
          result.data[at] = exclusive ? total : sum;
          total = sum;
        }
      }
      return [result];
    },
    examples: [
      { name: 'last axis', inputs: [{ shape: [3, 4] }], attributes: { axis: 1, exclusive: false, reverse: false } },
      { name: 'reverse', inputs: [{ shape: [3, 4] }], attributes: { axis: 0, exclusive: false, reverse: true } },
      { name: 'exclusive', inputs: [{ shape: [2, 4, 2] }], attributes: { axis: 1, exclusive: true, reverse: false } },
      {
        name: 'whole numbers',
        inputs: [{ dtype: 'int32', shape: [5], values: { below: 4 } }],
        attributes: { axis: 0, exclusive: true, reverse: true },
      },
      { name: 'size 1', inputs: [{ shape: [3, 1] }], attributes: { axis: 1, exclusive: true, reverse: false } },
      {
        name: 'whole numbers that wrap around',
        inputs: [{ dtype: 'int32', shape: [3], values: [2147483647, 2, -3] }],
        attributes: { axis: 0, exclusive: false, reverse: false },
      },
      { name: 'empty', inputs: [{ shape: [2, 0] }], attributes: { axis: 1, exclusive: false, reverse: false } },
    ],
  });

/**
 * Sums of all elements up to each one along a named axis.
 *
 * @param options `exclusive` leaves an element's own value out, `reverse` runs from the end.
 */
export function cumulativeSum<D extends DType, A extends Axes>(
  x: Symbolic<D, A>,
  axis: A[number],
  { exclusive = false, reverse = false }: { readonly exclusive?: boolean; readonly reverse?: boolean } = {},
): Symbolic<D, A> {
  const attributes = { axis: axisIndex('cumulativeSum', x, axis), exclusive, reverse };
  return applyOne(cumulativeSumOperator, [x], attributes) as Symbolic<D, A>;
}

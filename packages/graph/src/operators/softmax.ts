import { elements, type Axes } from '@user-llm/tensor';
import { bytesOf } from '../cost.js';
import { axisIndex, requireAxis, requireFloat } from '../inference.js';
import { applyOne, definePrimitive, type Example, type PrimitiveOperator } from '../operator.js';
import { aroundAxis, referenceArray } from '../reference-kernels.js';
import type { Float, Symbolic } from '../symbolic.js';
import { rawMultiply, rawSubtract } from './arithmetic.js';
import { exponentialOperator } from './elementwise.js';
import { rawSum } from './reduce.js';

/** Attributes of `softmax` and `logSoftmax`. */
export interface SoftmaxAttributes {
  readonly axis: number;
}

const examples: readonly Example<SoftmaxAttributes>[] = [
  { name: 'last axis', inputs: [{ shape: [3, 4] }], attributes: { axis: 1 } },
  { name: 'first axis', inputs: [{ shape: [3, 4] }], attributes: { axis: 0 } },
  { name: 'large numbers', inputs: [{ shape: [1, 3], values: [1000, 1001, 999] }], attributes: { axis: 1 } },
  { name: 'size 1', inputs: [{ shape: [3, 1] }], attributes: { axis: 1 } },
  { name: 'empty', inputs: [{ shape: [0, 4] }], attributes: { axis: 1 } },
];

function overAxis(
  name: string,
  onnxType: string,
  f: (shifted: number, sum: number) => number,
  gradient: (g: Symbolic, y: Symbolic, axis: number) => Symbolic,
): PrimitiveOperator<SoftmaxAttributes> {
  return definePrimitive<SoftmaxAttributes>({
    name,
    infer: ([x], { axis }) => {
      requireFloat(name, x!);
      requireAxis(name, x!, axis);
      return [x!];
    },
    gradient: ({ outputs: [y], attributes: { axis } }, [g]) => [g && gradient(g, y!, axis)],
    cost: (inputs, outputs) => ({ flops: 5 * elements(outputs[0]!.shape), bytes: bytesOf(...inputs, ...outputs) }),
    onnx: (emitter, [x], { attributes: { axis } }) => emitter.emit(onnxType, [x!.name], { axis: { int: axis } }),
    reference: ([x], { attributes: { axis } }) => {
      const result = referenceArray(x!.dtype, x!.shape);
      const { outer, size, inner } = aroundAxis(x!.shape, axis);
      for (let row = 0; row < outer * inner; row++) {
        const start = Math.floor(row / inner) * size * inner + (row % inner);
        let largest = -Infinity;
        for (let k = 0; k < size; k++) largest = Math.max(largest, x!.data[start + k * inner]!);
        let sum = 0;
        for (let k = 0; k < size; k++) sum += Math.exp(x!.data[start + k * inner]! - largest);
        for (let k = 0; k < size; k++) result.data[start + k * inner] = f(x!.data[start + k * inner]! - largest, sum);
      }
      return [result];
    },
    examples,
  });
}

/** Exponentials along one axis, scaled to add up to 1. */
export const softmaxOperator = overAxis(
  'softmax',
  'Softmax',
  (shifted, sum) => Math.exp(shifted) / sum,
  (g, y, axis) => {
    const weighted = rawMultiply(g, y);
    return rawSubtract(weighted, rawMultiply(y, rawSum(weighted, [axis], true)));
  },
);

/** The logarithm of `softmax`. */
export const logSoftmaxOperator = overAxis(
  'logSoftmax',
  'LogSoftmax',
  (shifted, sum) => shifted - Math.log(sum),
  (g, y, axis) => rawSubtract(g, rawMultiply(applyOne(exponentialOperator, [y], {}), rawSum(g, [axis], true))),
);

/** @internal Softmax over the last axis. */
export function rawSoftmax(x: Symbolic): Symbolic {
  return applyOne(softmaxOperator, [x], { axis: x.axes.length - 1 });
}

/** Exponentials along one axis (the last unless named), scaled to add up to 1. */
export function softmax<A extends Axes>(x: Float<A>, axis: A[number] = x.axes.at(-1) ?? ''): Float<A> {
  return applyOne(softmaxOperator, [x], { axis: axisIndex('softmax', x, axis) }) as Float<A>;
}

/** The logarithm of `softmax` along one axis (the last unless named), without overflow. */
export function logSoftmax<A extends Axes>(x: Float<A>, axis: A[number] = x.axes.at(-1) ?? ''): Float<A> {
  return applyOne(logSoftmaxOperator, [x], { axis: axisIndex('logSoftmax', x, axis) }) as Float<A>;
}

import { elements, Tensor, type Axes } from '@user-llm/tensor';
import { bytesOf, elementwiseCost } from '../cost.js';
import { requireDType, requireFloat } from '../inference.js';
import { applyOne, definePrimitive, type ExampleValues, type PrimitiveOperator } from '../operator.js';
import { mapBroadcast, wrapped } from '../reference-kernels.js';
import type { Float, Symbolic } from '../symbolic.js';
import { rawAdd, rawDivide, rawMultiply, rawSubtract } from './arithmetic.js';
import { rawCast } from './cast.js';
import { rawLess } from './comparison.js';
import { constant } from './input.js';
import { rawWhere } from './where.js';

/** Attributes of operators that have none. */
export type NoAttributes = Readonly<Record<never, never>>;

/** A float number as a 0-dimensional constant of the dtype of `like`. */
export function scalarLike(like: Symbolic, value: number): Symbolic {
  const tensor = new Tensor('float64', [], [], Float64Array.of(value));
  return constant(tensor.cast(like.dtype) as Tensor);
}

interface UnaryDefinition {
  readonly name: string;
  readonly onnxType: string;
  readonly f: (x: number) => number;
  /** Gradient of the input from the gradient of the output, the output and the input. */
  readonly gradient: ((gradient: Symbolic, y: Symbolic, x: Symbolic) => Symbolic) | 'none';
  readonly values?: ExampleValues;
  readonly flops?: number;
  /** Whether it takes whole numbers as well. */
  readonly integers?: boolean;
}

function unary({
  name,
  onnxType,
  f,
  gradient,
  values = 'distinct',
  flops = 1,
  integers,
}: UnaryDefinition): PrimitiveOperator<NoAttributes> {
  return definePrimitive<NoAttributes>({
    name,
    infer: ([x]) => {
      if (!integers) requireFloat(name, x!);
      return [x!];
    },
    gradient: gradient === 'none' ? 'none' : (node, [g]) => [g && gradient(g, node.outputs[0]!, node.inputs[0]!)],
    cost: (inputs, outputs) => ({ flops: flops * elements(outputs[0]!.shape), bytes: bytesOf(...inputs, ...outputs) }),
    onnx: (emitter, [x]) => emitter.emit(onnxType, [x!.name]),
    reference: ([x]) => [mapBroadcast(x!.dtype, x!.shape, [x!], (value) => wrapped(x!.dtype, f(value)))],
    examples: [
      { name: 'matrix', inputs: [{ shape: [3, 4], values }], attributes: {} },
      { name: 'size 1', inputs: [{ shape: [1, 1], values }], attributes: {} },
      { name: 'scalar', inputs: [{ shape: [], values }], attributes: {} },
      { name: 'empty', inputs: [{ shape: [0, 4], values }], attributes: {} },
    ],
  });
}

export const negateOperator = unary({
  name: 'negate',
  onnxType: 'Neg',
  f: (x) => -x,
  gradient: (g) => rawNegate(g),
  integers: true,
});
export const absoluteOperator = unary({
  name: 'absolute',
  onnxType: 'Abs',
  f: Math.abs,
  gradient: (g, _, x) => rawMultiply(g, applyOne(signOperator, [x], {})),
  integers: true,
});
export const signOperator = unary({ name: 'sign', onnxType: 'Sign', f: Math.sign, gradient: 'none', integers: true });
export const floorOperator = unary({ name: 'floor', onnxType: 'Floor', f: Math.floor, gradient: 'none' });
export const exponentialOperator = unary({
  name: 'exponential',
  onnxType: 'Exp',
  f: Math.exp,
  gradient: (g, y) => rawMultiply(g, y),
});
export const logarithmOperator = unary({
  name: 'logarithm',
  onnxType: 'Log',
  f: Math.log,
  gradient: (g, _, x) => rawDivide(g, x),
  values: 'positive',
});
export const squareRootOperator = unary({
  name: 'squareRoot',
  onnxType: 'Sqrt',
  f: Math.sqrt,
  gradient: (g, y) => rawDivide(rawMultiply(g, scalarLike(g, 0.5)), y),
  values: 'positive',
});
export const reciprocalOperator = unary({
  name: 'reciprocal',
  onnxType: 'Reciprocal',
  f: (x) => 1 / x,
  gradient: (g, y) => rawNegate(rawMultiply(g, rawMultiply(y, y))),
  values: 'positive',
});
export const sineOperator = unary({
  name: 'sine',
  onnxType: 'Sin',
  f: Math.sin,
  gradient: (g, _, x) => rawMultiply(g, applyOne(cosineOperator, [x], {})),
});
export const cosineOperator = unary({
  name: 'cosine',
  onnxType: 'Cos',
  f: Math.cos,
  gradient: (g, _, x) => rawNegate(rawMultiply(g, applyOne(sineOperator, [x], {}))),
});
export const tanhOperator = unary({
  name: 'tanh',
  onnxType: 'Tanh',
  f: Math.tanh,
  gradient: (g, y) => rawMultiply(g, rawSubtract(scalarLike(g, 1), rawMultiply(y, y))),
});
export const sigmoidOperator = unary({
  name: 'sigmoid',
  onnxType: 'Sigmoid',
  f: (x) => 1 / (1 + Math.exp(-x)),
  gradient: (g, y) => rawMultiply(g, rawMultiply(y, rawSubtract(scalarLike(g, 1), y))),
  flops: 3,
});
export const errorFunctionOperator = unary({
  name: 'errorFunction',
  onnxType: 'Erf',
  f: errorFunction,
  gradient: (g, _, x) =>
    rawMultiply(
      g,
      rawMultiply(
        applyOne(exponentialOperator, [rawNegate(rawMultiply(x, x))], {}),
        scalarLike(g, 2 / Math.sqrt(Math.PI)),
      ),
    ),
  flops: 10,
});
export const reluOperator = unary({
  name: 'relu',
  onnxType: 'Relu',
  // Math.max(NaN, 0) is NaN, as in every runtime.
  f: (x) => Math.max(x, 0),
  gradient: (g, y) => rawWhere(rawLess(scalarLike(y, 0), y), g, scalarLike(g, 0)),
});

/** `not`: true where the input is false. */
export const notOperator = definePrimitive<NoAttributes>({
  name: 'not',
  infer: ([x]) => {
    requireDType('not', 'bool', x!);
    return [x!];
  },
  gradient: 'none',
  cost: elementwiseCost,
  onnx: (emitter, [x]) => emitter.emit('Not', [x!.name]),
  reference: ([x]) => [mapBroadcast('bool', x!.shape, [x!], (value) => (value === 0 ? 1 : 0))],
  examples: [
    { name: 'matrix', inputs: [{ dtype: 'bool', shape: [3, 4], values: { below: 2 } }], attributes: {} },
    { name: 'size 1', inputs: [{ dtype: 'bool', shape: [1], values: [1] }], attributes: {} },
    { name: 'empty', inputs: [{ dtype: 'bool', shape: [2, 0], values: [] }], attributes: {} },
  ],
});

/**
 * The error function, by its Maclaurin series for small arguments and the continued fraction of its complement
 * for large ones (Abramowitz and Stegun 7.1.5 and 7.1.14); relative error below 1e-14.
 */
function errorFunction(x: number): number {
  if (Number.isNaN(x)) return x;
  const magnitude = Math.abs(x);
  if (magnitude > 6) return Math.sign(x);
  if (magnitude < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 200; n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 120; n >= 1; n--) fraction = n / 2 / (magnitude + fraction);
  return Math.sign(x) * (1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (magnitude + fraction));
}

/** @internal The negative of a tensor. */
export function rawNegate(x: Symbolic): Symbolic {
  return applyOne(negateOperator, [x], {});
}

/** The negative of each element. */
export function negate<A extends Axes>(x: Float<A>): Float<A> {
  return rawNegate(x) as Float<A>;
}

/** The magnitude of each element; its gradient at 0 is 0. */
export function absolute<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(absoluteOperator, [x], {}) as Float<A>;
}

/** -1, 0 or 1 by the sign of each element; no gradient flows through. */
export function sign<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(signOperator, [x], {}) as Float<A>;
}

/** The largest whole number not above each element; no gradient flows through. */
export function floor<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(floorOperator, [x], {}) as Float<A>;
}

/** e to the power of each element. */
export function exponential<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(exponentialOperator, [x], {}) as Float<A>;
}

/** The natural logarithm of each element. */
export function logarithm<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(logarithmOperator, [x], {}) as Float<A>;
}

/** The square root of each element. */
export function squareRoot<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(squareRootOperator, [x], {}) as Float<A>;
}

/** One divided by each element. */
export function reciprocal<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(reciprocalOperator, [x], {}) as Float<A>;
}

/** The square of each element. */
export function square<A extends Axes>(x: Float<A>): Float<A> {
  return rawMultiply(x, x) as Float<A>;
}

/** The sine of each element, in radians. */
export function sine<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(sineOperator, [x], {}) as Float<A>;
}

/** The cosine of each element, in radians. */
export function cosine<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(cosineOperator, [x], {}) as Float<A>;
}

/** The hyperbolic tangent of each element. */
export function tanh<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(tanhOperator, [x], {}) as Float<A>;
}

/** `1 / (1 + exp(-x))` of each element. */
export function sigmoid<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(sigmoidOperator, [x], {}) as Float<A>;
}

/** The error function of each element. */
export function erf<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(errorFunctionOperator, [x], {}) as Float<A>;
}

/** The larger of each element and 0; its gradient at 0 is 0. */
export function relu<A extends Axes>(x: Float<A>): Float<A> {
  return applyOne(reluOperator, [x], {}) as Float<A>;
}

/** Whether each element is false. */
export function not<A extends Axes>(x: Symbolic<'bool', A>): Symbolic<'bool', A> {
  return applyOne(notOperator, [x], {}) as Symbolic<'bool', A>;
}

/** `cap * tanh(x / cap)`: keeps each element within -cap and cap (the soft cap of Gemma 2's logits). */
export function softCap<A extends Axes>(x: Float<A>, cap: number): Float<A> {
  const bounded = applyOne(tanhOperator, [rawMultiply(x, scalarLike(x, 1 / cap))], {});
  return rawMultiply(bounded, scalarLike(x, cap)) as Float<A>;
}

/** `log(1 + exp(x))` of each element, without overflow. */
export function softplus<A extends Axes>(x: Float<A>): Float<A> {
  const small = exponential(negate(absolute(x)));
  return rawAdd(relu(x), logarithm(rawAdd(small, scalarLike(x, 1)) as Float<A>)) as Float<A>;
}

/** The same values, through which no gradient flows. */
export function stopGradient<T extends Symbolic>(x: T): T {
  return applyOne(stopGradientOperator, [x], {}) as T;
}

/** The same values, through which no gradient flows. */
export const stopGradientOperator = definePrimitive<NoAttributes>({
  name: 'stopGradient',
  infer: ([x]) => [x!],
  gradient: 'none',
  cost: () => ({ flops: 0, bytes: 0 }),
  onnx: (emitter, [x]) => emitter.emit('Identity', [x!.name]),
  reference: ([x]) => [x!],
  examples: [
    { name: 'matrix', inputs: [{ shape: [2, 3] }], attributes: {} },
    { name: 'size 1', inputs: [{ shape: [1, 1] }], attributes: {} },
    { name: 'empty', inputs: [{ shape: [2, 0] }], attributes: {} },
  ],
});

/** @internal The float32 zero-or-one form of a condition. */
export function rawIndicator(condition: Symbolic): Symbolic {
  return rawCast(condition, 'float32');
}

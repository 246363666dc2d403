import type { Axes, DType } from '@user-llm/tensor';
import { elementwiseCost } from '../cost.js';
import { broadcastTypes, requireFloat, requireSameDType } from '../inference.js';
import { applyOne, definePrimitive, type Example, type GradientRule, type PrimitiveOperator } from '../operator.js';
import { mapBroadcast } from '../reference-kernels.js';
import type { Symbolic } from '../symbolic.js';
import { alignAxes, unbroadcast } from './broadcast.js';
import { rawLessEqual } from './comparison.js';
import { logarithm, rawNegate, scalarLike, type NoAttributes } from './elementwise.js';
import { rawWhere } from './where.js';

interface BinaryDefinition {
  readonly name: string;
  readonly onnxType: string;
  readonly f: (x: number, y: number) => number;
  readonly gradient:
    ((gradient: Symbolic, x: Symbolic, y: Symbolic, output: Symbolic) => readonly [Symbolic, Symbolic]) | 'none';
  readonly examples?: readonly Example<NoAttributes>[];
  readonly floatOnly?: boolean;
  readonly onnxAttributes?: Readonly<Record<string, { readonly int: number }>>;
}

const distinct = 'distinct';
const positive = 'positive';

function binary({
  name,
  onnxType,
  f,
  gradient,
  examples,
  floatOnly,
  onnxAttributes,
}: BinaryDefinition): PrimitiveOperator<NoAttributes> {
  const rule: GradientRule<NoAttributes> | 'none' =
    gradient === 'none'
      ? 'none'
      : ({ inputs: [x, y], outputs: [output] }, [g]) => {
          if (!g) return [undefined, undefined];
          const [gx, gy] = gradient(g, x!, y!, output!);
          return [unbroadcast(gx, x!), unbroadcast(gy, y!)];
        };
  return definePrimitive<NoAttributes>({
    name,
    infer: (inputs) => {
      requireSameDType(name, inputs);
      if (floatOnly) requireFloat(name, ...inputs);
      return [{ dtype: inputs[0]!.dtype, ...broadcastTypes(name, inputs) }];
    },
    gradient: rule,
    cost: elementwiseCost,
    onnx: (emitter, [x, y]) => emitter.emit(onnxType, [x!.name, y!.name], onnxAttributes),
    reference: (inputs, { outputs: [output] }) => [mapBroadcast(output!.dtype, output!.shape, inputs, f)],
    examples: examples ?? binaryExamples(distinct, positive),
  });
}

function binaryExamples(x: 'distinct' | 'positive', y: 'distinct' | 'positive'): readonly Example<NoAttributes>[] {
  const example = (name: string, left: readonly number[], right: readonly number[]): Example<NoAttributes> => ({
    name,
    inputs: [
      { shape: left, values: x },
      { shape: right, values: y },
    ],
    attributes: {},
  });
  return [
    example('same shape', [3, 4], [3, 4]),
    example('broadcast row', [3, 4], [4]),
    example('broadcast column', [3, 1], [3, 4]),
    example('broadcast both', [2, 1, 4], [3, 1]),
    example('scalar', [2, 3], []),
    example('empty', [0, 3], [1, 3]),
  ];
}

const integerExamples: readonly Example<NoAttributes>[] = [
  {
    name: 'whole numbers',
    inputs: [
      { dtype: 'int32', shape: [6], values: [7, -7, 7, -7, 0, 5] },
      { dtype: 'int32', shape: [6], values: [2, 2, -2, -2, 3, 5] },
    ],
    attributes: {},
  },
];

export const addOperator = binary({
  name: 'add',
  onnxType: 'Add',
  f: (x, y) => x + y,
  gradient: (g) => [g, g],
});
export const subtractOperator = binary({
  name: 'subtract',
  onnxType: 'Sub',
  f: (x, y) => x - y,
  gradient: (g) => [g, rawNegate(g)],
});
export const multiplyOperator = binary({
  name: 'multiply',
  onnxType: 'Mul',
  f: (x, y) => x * y,
  gradient: (g, x, y) => [rawMultiply(g, y), rawMultiply(g, x)],
});
/** Division; of whole numbers the quotient is cut towards zero. */
export const divideOperator = definePrimitive<NoAttributes>({
  ...binary({
    name: 'divide',
    onnxType: 'Div',
    f: (x, y) => x / y,
    gradient: (g, _, y, output) => {
      const gx = rawDivide(g, y);
      return [gx, rawNegate(rawMultiply(gx, output))];
    },
    examples: [...binaryExamples(distinct, positive), ...integerExamples],
  }),
  reference: (inputs, { outputs: [output] }) => {
    const cut = output!.dtype.startsWith('int') ? Math.trunc : (x: number) => x;
    return [mapBroadcast(output!.dtype, output!.shape, inputs, (x, y) => cut(x / y))];
  },
});
export const powerOperator = binary({
  name: 'power',
  onnxType: 'Pow',
  f: (x, y) => x ** y,
  gradient: (g, x, y, output) => [
    rawMultiply(rawMultiply(g, y), rawPower(x, rawSubtract(y, scalarLike(y, 1)))),
    // log(x) is not finite where x <= 0; a constant exponent's gradient is dropped as dead code.
    rawMultiply(rawMultiply(g, output), logarithm(x as Symbolic<'float32'>)),
  ],
  floatOnly: true,
  examples: binaryExamples(positive, distinct),
});
export const maximumOperator = binary({
  name: 'maximum',
  onnxType: 'Max',
  f: Math.max,
  gradient: (g, x, y) => {
    const zero = scalarLike(g, 0);
    const first = rawLessEqual(y, x);
    return [rawWhere(first, g, zero), rawWhere(first, zero, g)];
  },
});
export const minimumOperator = binary({
  name: 'minimum',
  onnxType: 'Min',
  f: Math.min,
  gradient: (g, x, y) => {
    const zero = scalarLike(g, 0);
    const first = rawLessEqual(x, y);
    return [rawWhere(first, g, zero), rawWhere(first, zero, g)];
  },
});
/** The remainder with the sign of the divisor, of whole numbers. */
export const moduloOperator = binary({
  name: 'modulo',
  onnxType: 'Mod',
  f: (x, y) => x - y * Math.floor(x / y),
  gradient: 'none',
  examples: integerExamples,
});

/** @internal */
export const rawAdd = (x: Symbolic, y: Symbolic): Symbolic => applyOne(addOperator, [x, y], {});
/** @internal */
export const rawSubtract = (x: Symbolic, y: Symbolic): Symbolic => applyOne(subtractOperator, [x, y], {});
/** @internal */
export const rawMultiply = (x: Symbolic, y: Symbolic): Symbolic => applyOne(multiplyOperator, [x, y], {});
/** @internal */
export const rawDivide = (x: Symbolic, y: Symbolic): Symbolic => applyOne(divideOperator, [x, y], {});
/** @internal */
export const rawPower = (x: Symbolic, y: Symbolic): Symbolic => applyOne(powerOperator, [x, y], {});

/**
 * A function of two tensors, element by element. The axes of one are among those of the other, in the same order;
 * missing axes and sizes of 1 are broadcast. A number stands for a tensor full of it.
 */
export interface BinaryFunction {
  <D extends DType, A extends Axes, B extends readonly A[number][]>(
    x: Symbolic<D, A>,
    y: Symbolic<NoInfer<D>, B> | number,
  ): Symbolic<D, A>;
  <D extends DType, B extends Axes, A extends readonly B[number][]>(
    x: Symbolic<NoInfer<D>, A> | number,
    y: Symbolic<D, B>,
  ): Symbolic<D, B>;
}

/** @internal A typed function of two tensors from an operator of two aligned ones. */
export function aligned(
  operator: PrimitiveOperator<NoAttributes>,
): (x: Symbolic | number, y: Symbolic | number) => Symbolic {
  return (x, y) => {
    const like = typeof x === 'number' ? (y as Symbolic) : x;
    const left = typeof x === 'number' ? scalarLike(like, x) : x;
    const right = typeof y === 'number' ? scalarLike(like, y) : y;
    return applyOne(operator, alignAxes(operator.name, left, right), {});
  };
}

/** The sum of two tensors, broadcast by axis names. */
export const add = aligned(addOperator) as BinaryFunction;
/** The difference of two tensors, broadcast by axis names. */
export const subtract = aligned(subtractOperator) as BinaryFunction;
/** The product of two tensors, element by element, broadcast by axis names. */
export const multiply = aligned(multiplyOperator) as BinaryFunction;
/** The quotient of two tensors, broadcast by axis names; of whole numbers it is cut towards zero. */
export const divide = aligned(divideOperator) as BinaryFunction;
/** The first tensor to the power of the second. */
export const power = aligned(powerOperator) as BinaryFunction;
/** The larger of two tensors, element by element; NaN wins, and where both are equal the gradient goes to the first. */
export const maximum = aligned(maximumOperator) as BinaryFunction;
/** The smaller of two tensors, element by element; NaN wins, and where both are equal the gradient goes to the first. */
export const minimum = aligned(minimumOperator) as BinaryFunction;
/** The remainder of two tensors of whole numbers, with the sign of the second. */
export const modulo = aligned(moduloOperator) as BinaryFunction;

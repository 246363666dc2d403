import { isFloat, UserLlmError, type Axes, type DType } from '@user-llm/tensor';
import { elementwiseCost } from '../cost.js';
import { broadcastTypes, requireFloat, requireSameDType, typeText } from '../inference.js';
import { applyOne, definePrimitive, type Example, type GradientRule, type PrimitiveOperator } from '../operator.js';
import type { OnnxEmitter, OnnxOperand } from '../onnx.js';
import { mapBroadcast, wrapped } from '../reference-kernels.js';
import type { Symbolic } from '../symbolic.js';
import { alignAxes, unbroadcast } from './broadcast.js';
import { rawLessEqual } from './comparison.js';
import { logarithm, rawNegate, scalarLike, type NoAttributes } from './elementwise.js';
import { constantOperator, type ConstantAttributes } from './input.js';
import { rawWhere } from './where.js';

interface BinaryDefinition {
  readonly name: string;
  readonly onnxType: string;
  readonly f: (x: number, y: number) => number;
  /** The function of whole numbers of 32 bits, where it is not `f` wrapped around. */
  readonly int32?: (x: number, y: number) => number;
  readonly gradient:
    ((gradient: Symbolic, x: Symbolic, y: Symbolic, output: Symbolic) => readonly [Symbolic, Symbolic]) | 'none';
  readonly examples?: readonly Example<NoAttributes>[];
  readonly floatOnly?: boolean;
}

const distinct = 'distinct';
const positive = 'positive';

function binary({
  name,
  onnxType,
  f,
  int32,
  gradient,
  examples,
  floatOnly,
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
    onnx: (emitter, [x, y]) => emitter.emit(onnxType, [x!.name, y!.name]),
    reference: (inputs, { outputs: [output] }) => {
      const { dtype, shape } = output!;
      const own = dtype === 'int32' ? (int32 ?? ((x: number, y: number) => wrapped(dtype, f(x, y)))) : f;
      return [mapBroadcast(dtype, shape, inputs, own)];
    },
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
    example('size 1', [1, 1], [1]),
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
  {
    name: 'the least whole number',
    inputs: [
      { dtype: 'int32', shape: [4], values: [-2147483648, -2147483648, 5, 2147483647] },
      { dtype: 'int32', shape: [4], values: [-1, 1, -1, -2147483648] },
    ],
    attributes: {},
  },
];

const wrappingExamples: readonly Example<NoAttributes>[] = [
  {
    name: 'whole numbers that wrap around',
    inputs: [
      { dtype: 'int32', shape: [4], values: [2147483647, -2147483648, 123456789, 3] },
      { dtype: 'int32', shape: [4], values: [1, -1, 987654321, -4] },
    ],
    attributes: {},
  },
];

export const addOperator = binary({
  name: 'add',
  onnxType: 'Add',
  f: (x, y) => x + y,
  gradient: (g) => [g, g],
  examples: [...binaryExamples(distinct, positive), ...wrappingExamples],
});
export const subtractOperator = binary({
  name: 'subtract',
  onnxType: 'Sub',
  f: (x, y) => x - y,
  gradient: (g) => [g, rawNegate(g)],
  examples: [...binaryExamples(distinct, positive), ...wrappingExamples],
});
export const multiplyOperator = binary({
  name: 'multiply',
  onnxType: 'Mul',
  f: (x, y) => x * y,
  int32: Math.imul,
  gradient: (g, x, y) => [rawMultiply(g, y), rawMultiply(g, x)],
  examples: [...binaryExamples(distinct, positive), ...wrappingExamples],
});
/** A divisor of whole numbers, which must not be 0. */
function requireDivisor(what: string, divisor: number): number {
  if (divisor !== 0) return divisor;
  throw new UserLlmError('division-by-zero', {
    what: `${what} of whole numbers`,
    expected: 'divisors other than 0',
    got: '0',
    mend: 'Replace such divisors with where before dividing.',
  });
}

/**
 * A divisor of whole numbers with 1 in the place of -1, and where that was: the processor traps the quotient of the
 * least number and -1, which it cannot hold. `undefined` for a divisor known to have no -1.
 */
function withoutMinusOne(
  emitter: OnnxEmitter,
  { name, dtype }: OnnxOperand,
  { node }: Symbolic,
): { readonly divisor: string; readonly minusOne: string } | undefined {
  if (!dtype.startsWith('int')) return undefined;
  if ((node.operator as unknown) === constantOperator) {
    const { data } = (node.attributes as unknown as ConstantAttributes).value.contiguous();
    if (!Array.from(data, Number).includes(-1)) return undefined;
  }
  const minusOne = emitter.emit('Equal', [name, emitter.constant(dtype, [], [-1])])[0]!;
  return { minusOne, divisor: emitter.emit('Where', [minusOne, emitter.constant(dtype, [], [1]), name])[0]! };
}

/**
 * Division. The quotient of whole numbers is cut towards zero, and wraps around where it does not fit (the least
 * number divided by -1 is itself); a divisor of 0 is the error `division-by-zero` when the graph runs.
 */
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
  onnx: (emitter, [x, y], { inputs: [, given] }) => {
    const guarded = withoutMinusOne(emitter, y!, given!);
    if (!guarded) return emitter.emit('Div', [x!.name, y!.name]);
    const quotient = emitter.emit('Div', [x!.name, guarded.divisor])[0]!;
    return emitter.emit('Where', [guarded.minusOne, emitter.emit('Neg', [quotient])[0]!, quotient]);
  },
  reference: (inputs, { outputs: [output] }) => {
    const { dtype, shape } = output!;
    const f = isFloat(dtype)
      ? (x: number, y: number) => x / y
      : (x: number, y: number) => wrapped(dtype, Math.trunc(x / requireDivisor('divide', y)));
    return [mapBroadcast(dtype, shape, inputs, f)];
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
const remainder = binary({
  name: 'modulo',
  onnxType: 'Mod',
  f: (x, y) => x - y * Math.floor(x / requireDivisor('modulo', y)),
  gradient: 'none',
  examples: [
    ...integerExamples,
    {
      name: 'broadcast both',
      inputs: [
        { dtype: 'int32', shape: [2, 1], values: [7, -7] },
        { dtype: 'int32', shape: [3], values: [2, -2, 3] },
      ],
      attributes: {},
    },
    {
      name: 'size 1',
      inputs: [
        { dtype: 'int32', shape: [1], values: [-7] },
        { dtype: 'int32', shape: [1], values: [4] },
      ],
      attributes: {},
    },
    {
      name: 'empty',
      inputs: [
        { dtype: 'int32', shape: [0, 2], values: [] },
        { dtype: 'int32', shape: [2], values: [2, 3] },
      ],
      attributes: {},
    },
  ],
});

/**
 * The remainder with the sign of the divisor, of whole numbers; a divisor of 0 is the error `division-by-zero` when
 * the graph runs.
 */
export const moduloOperator = definePrimitive<NoAttributes>({
  ...remainder,
  infer: (inputs, attributes) => {
    const real = inputs.find(({ dtype }) => isFloat(dtype));
    if (real) {
      throw new UserLlmError('dtype-mismatch', {
        what: 'modulo',
        expected: 'whole numbers',
        got: typeText(real),
        mend: "Convert with cast(x, 'int32').",
      });
    }
    return remainder.infer(inputs, attributes);
  },
  onnx: (emitter, [x, y], { inputs: [, given] }) =>
    // What is left by -1 is what is left by 1: nothing.
    emitter.emit('Mod', [x!.name, withoutMinusOne(emitter, y!, given!)?.divisor ?? y!.name]),
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

/** The sum of two tensors, broadcast by axis names; int32 wraps around, here and in all arithmetic of whole numbers. */
export const add = aligned(addOperator) as BinaryFunction;
/** The difference of two tensors, broadcast by axis names. */
export const subtract = aligned(subtractOperator) as BinaryFunction;
/** The product of two tensors, element by element, broadcast by axis names. */
export const multiply = aligned(multiplyOperator) as BinaryFunction;
/**
 * The quotient of two tensors, broadcast by axis names; of whole numbers it is cut towards zero.
 *
 * When the graph runs, a whole number divided by 0 is the error `division-by-zero`.
 */
export const divide = aligned(divideOperator) as BinaryFunction;
/** The first tensor to the power of the second. */
export const power = aligned(powerOperator) as BinaryFunction;
/** The larger of two tensors, element by element; NaN wins, and where both are equal the gradient goes to the first. */
export const maximum = aligned(maximumOperator) as BinaryFunction;
/** The smaller of two tensors, element by element; NaN wins, and where both are equal the gradient goes to the first. */
export const minimum = aligned(minimumOperator) as BinaryFunction;
/**
 * The remainder of two tensors of whole numbers, with the sign of the second.
 *
 * When the graph runs, a divisor of 0 is the error `division-by-zero`.
 *
 * @throws UserLlmError `dtype-mismatch` for real numbers.
 */
export const modulo = aligned(moduloOperator) as BinaryFunction;

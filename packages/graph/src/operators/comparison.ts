import type { Axes, DType } from '@user-llm/tensor';
import { elementwiseCost } from '../cost.js';
import { broadcastTypes, requireDType, requireSameDType } from '../inference.js';
import { applyOne, definePrimitive, type PrimitiveOperator } from '../operator.js';
import { mapBroadcast } from '../reference-kernels.js';
import type { Symbolic } from '../symbolic.js';
import { aligned } from './arithmetic.js';
import { notOperator, type NoAttributes } from './elementwise.js';

function comparison(
  name: string,
  onnxType: string,
  f: (x: number, y: number) => boolean,
  logical = false,
): PrimitiveOperator<NoAttributes> {
  const dtype = logical ? 'bool' : 'int32';
  const values = { below: logical ? 2 : 3 };
  return definePrimitive<NoAttributes>({
    name,
    infer: (inputs) => {
      if (logical) requireDType(name, 'bool', ...inputs);
      requireSameDType(name, inputs);
      return [{ dtype: 'bool', ...broadcastTypes(name, inputs) }];
    },
    gradient: 'none',
    cost: elementwiseCost,
    onnx: (emitter, [x, y]) => emitter.emit(onnxType, [x!.name, y!.name]),
    reference: (inputs, { outputs: [output] }) => [
      mapBroadcast('bool', output!.shape, inputs, (x, y) => (f(x, y) ? 1 : 0)),
    ],
    examples: [
      {
        name: 'same shape',
        inputs: [
          { dtype, shape: [3, 4], values },
          { dtype, shape: [3, 4], values },
        ],
        attributes: {},
      },
      {
        name: 'broadcast',
        inputs: [
          { dtype, shape: [2, 1, 4], values },
          { dtype, shape: [3, 1], values },
        ],
        attributes: {},
      },
      {
        name: 'empty',
        inputs: [
          { dtype, shape: [0], values },
          { dtype, shape: [1], values },
        ],
        attributes: {},
      },
      ...(logical
        ? []
        : [
            {
              name: 'real numbers',
              inputs: [
                { shape: [4], values: [1, 2, NaN, -1] },
                { shape: [4], values: [1, 3, NaN, -2] },
              ],
              attributes: {},
            },
          ]),
    ],
  });
}

export const equalOperator = comparison('equal', 'Equal', (x, y) => x === y);
export const lessOperator = comparison('less', 'Less', (x, y) => x < y);
export const lessEqualOperator = comparison('lessEqual', 'LessOrEqual', (x, y) => x <= y);
export const andOperator = comparison('and', 'And', (x, y) => x !== 0 && y !== 0, true);
export const orOperator = comparison('or', 'Or', (x, y) => x !== 0 || y !== 0, true);

/** @internal */
export const rawEqual = (x: Symbolic, y: Symbolic): Symbolic => applyOne(equalOperator, [x, y], {});
/** @internal */
export const rawLess = (x: Symbolic, y: Symbolic): Symbolic => applyOne(lessOperator, [x, y], {});
/** @internal */
export const rawLessEqual = (x: Symbolic, y: Symbolic): Symbolic => applyOne(lessEqualOperator, [x, y], {});
/** @internal */
export const rawAnd = (x: Symbolic, y: Symbolic): Symbolic => applyOne(andOperator, [x, y], {});

/** A comparison of two tensors, element by element, broadcast like arithmetic. */
export interface ComparisonFunction {
  <D extends DType, A extends Axes, B extends readonly A[number][]>(
    x: Symbolic<D, A>,
    y: Symbolic<NoInfer<D>, B> | number,
  ): Symbolic<'bool', A>;
  <D extends DType, B extends Axes, A extends readonly B[number][]>(
    x: Symbolic<NoInfer<D>, A> | number,
    y: Symbolic<D, B>,
  ): Symbolic<'bool', B>;
}

/** A function of two conditions, element by element, broadcast like arithmetic. */
export interface LogicalFunction {
  <A extends Axes, B extends readonly A[number][]>(x: Symbolic<'bool', A>, y: Symbolic<'bool', B>): Symbolic<'bool', A>;
  <B extends Axes, A extends readonly B[number][]>(x: Symbolic<'bool', A>, y: Symbolic<'bool', B>): Symbolic<'bool', B>;
}

/** Whether elements are equal; NaN equals nothing. */
export const equal = aligned(equalOperator) as ComparisonFunction;
/** Whether elements differ. */
export const notEqual = ((x: Symbolic, y: Symbolic) =>
  applyOne(notOperator, [aligned(equalOperator)(x, y)], {})) as ComparisonFunction;
/** Whether elements of the first are below those of the second. */
export const less = aligned(lessOperator) as ComparisonFunction;
/** Whether elements of the first are not above those of the second. */
export const lessEqual = aligned(lessEqualOperator) as ComparisonFunction;
/** Whether elements of the first are above those of the second. */
export const greater = ((x: Symbolic, y: Symbolic) => aligned(lessOperator)(y, x)) as ComparisonFunction;
/** Whether elements of the first are not below those of the second. */
export const greaterEqual = ((x: Symbolic, y: Symbolic) => aligned(lessEqualOperator)(y, x)) as ComparisonFunction;
/** Whether both conditions hold. */
export const and = aligned(andOperator) as LogicalFunction;
/** Whether either condition holds. */
export const or = aligned(orOperator) as LogicalFunction;

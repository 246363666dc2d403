import { UserLlmError, type Axes, type DType, type Tensor } from '@user-llm/tensor';
import { freeCost } from '../cost.js';
import { applyOne, definePrimitive } from '../operator.js';
import { referenceArray } from '../reference-kernels.js';
import type { Size } from '../size.js';
import type { Symbolic } from '../symbolic.js';

/** Attributes of `input`. */
export interface InputAttributes {
  readonly name: string;
  readonly dtype: DType;
  readonly axes: Axes;
  readonly shape: readonly Size[];
}

function unreachable(): never {
  throw new UserLlmError('not-runnable', { what: 'input', expected: 'a runtime that feeds inputs itself' });
}

/** A tensor that is fed when the graph runs: data, a parameter, or state. */
export const inputOperator = definePrimitive<InputAttributes>({
  name: 'input',
  infer: (_, { dtype, axes, shape }) => [{ dtype, axes, shape }],
  gradient: 'none',
  cost: () => freeCost,
  onnx: unreachable,
  reference: unreachable,
  examples: [],
});

/**
 * A tensor that is fed when the graph runs.
 *
 * @param name Unique among the graph's inputs; parameters use their checkpoint's names.
 * @param shape One size per axis; sizes that differ from run to run are `symbol('batch')`.
 * @throws UserLlmError `bad-shape` when axes and sizes do not match or an axis is named twice.
 */
export function input<D extends DType, const A extends Axes>(
  name: string,
  dtype: D,
  axes: A,
  shape: { readonly [I in keyof A]: Size },
): Symbolic<D, A> {
  requireDistinctAxes(`input ${name}`, axes, shape as readonly Size[]);
  return applyOne(inputOperator, [], { name, dtype, axes, shape: shape as readonly Size[] }) as Symbolic<D, A>;
}

/** @internal Throws unless every size has its own axis name. */
export function requireDistinctAxes(what: string, axes: Axes, shape: readonly Size[]): void {
  if (axes.length !== shape.length || new Set(axes).size !== axes.length) {
    throw new UserLlmError('bad-shape', {
      what,
      expected: 'one distinct axis name per size',
      got: `axes [${axes.join(', ')}] and sizes [${shape.join(', ')}]`,
      mend: 'Name every axis once; use a second name such as eventKey where the same thing occurs twice.',
    });
  }
}

/** Attributes of `constant`. */
export interface ConstantAttributes {
  readonly value: Tensor;
}

/** A tensor known when the graph is built. */
export const constantOperator = definePrimitive<ConstantAttributes>({
  name: 'constant',
  infer: (_, { value }) => [{ dtype: value.dtype, axes: value.axes, shape: value.shape }],
  gradient: 'none',
  cost: () => freeCost,
  onnx: (emitter, _, { attributes: { value } }) => {
    const dense = value.contiguous();
    return [emitter.constant(dense.dtype, dense.shape, dense.data)];
  },
  reference: (_, { attributes: { value } }) => {
    const numbers = value.cast('float64').contiguous();
    return [referenceArray(value.dtype, value.shape, Float64Array.from(numbers.data))];
  },
  examples: [],
});

/** A host tensor as part of the graph. */
export function constant<D extends DType, const A extends Axes>(value: Tensor<D, A>): Symbolic<D, A> {
  return applyOne(constantOperator, [], { value: value as unknown as Tensor }) as Symbolic<D, A>;
}

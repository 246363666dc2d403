import { elements, UserLlmError, type Axes, type DType } from '@user-llm/tensor';
import { freeCost } from '../cost.js';
import { axisIndex, mismatch } from '../inference.js';
import { applyOne, definePrimitive } from '../operator.js';
import { referenceArray } from '../reference-kernels.js';
import { multiplySizes, sameShape, sameSize, sizeOfShape, type Size } from '../size.js';
import type { Symbolic } from '../symbolic.js';
import { requireDistinctAxes } from './input.js';

/** Attributes of `reshape`. */
export interface ReshapeAttributes {
  readonly axes: Axes;
  readonly shape: readonly Size[];
}

/** The same elements in the same order under other axes. */
export const reshapeOperator = definePrimitive<ReshapeAttributes>({
  name: 'reshape',
  infer: ([x], { axes, shape }) => {
    if (!sameSize(sizeOfShape(x!.shape), sizeOfShape(shape))) {
      throw mismatch('reshape', `as many elements as [${shape.join(', ')}] has`, [x!]);
    }
    return [{ dtype: x!.dtype, axes, shape }];
  },
  gradient: ({ inputs: [x] }, [g]) => [g && rawReshape(g, x!.axes, x!.shape)],
  cost: () => freeCost,
  onnx: (emitter, [x], { attributes: { shape } }) =>
    emitter.emit('Reshape', [x!.name, emitter.sizes(shape)], { allowzero: { int: 1 } }),
  reference: ([x], { outputs: [output] }) => {
    if (elements(output!.shape) !== x!.data.length) throw new UserLlmError('shape-mismatch', { what: 'reshape' });
    return [referenceArray(x!.dtype, output!.shape, x!.data)];
  },
  examples: [
    { name: 'split an axis', inputs: [{ shape: [2, 6] }], attributes: { axes: ['a', 'b', 'c'], shape: [2, 3, 2] } },
    { name: 'join axes', inputs: [{ shape: [2, 3, 2] }], attributes: { axes: ['a'], shape: [12] } },
    { name: 'empty', inputs: [{ shape: [0, 3] }], attributes: { axes: ['a', 'b'], shape: [3, 0] } },
    { name: 'scalar', inputs: [{ shape: [1, 1] }], attributes: { axes: [], shape: [] } },
  ],
});

/** @internal The tensor itself where it has these axes and sizes already. */
export function rawReshape(x: Symbolic, axes: Axes, shape: readonly Size[]): Symbolic {
  const same = sameShape(x.shape, shape) && x.axes.every((axis, index) => axis === axes[index]);
  return same ? x : applyOne(reshapeOperator, [x], { axes, shape });
}

/**
 * The same elements in the same order, under new axes and sizes.
 *
 * @throws UserLlmError `shape-mismatch` when the number of elements differs.
 */
export function reshape<D extends DType, const R extends Axes>(
  x: Symbolic<D>,
  axes: R,
  shape: { readonly [I in keyof R]: Size },
): Symbolic<D, R> {
  requireDistinctAxes('reshape', axes, shape as readonly Size[]);
  return rawReshape(x, axes, shape as readonly Size[]) as Symbolic<D, R>;
}

/** The axes `A` with the name `From` replaced by `To`. */
export type Renamed<A extends Axes, From extends string, To extends string> = {
  readonly [I in keyof A]: A[I] extends From ? To : A[I];
};

/** The same tensor with one axis under another name. */
export function rename<D extends DType, A extends Axes, From extends A[number], To extends string>(
  x: Symbolic<D, A>,
  from: From,
  to: To,
): Symbolic<D, Renamed<A, From, To>> {
  axisIndex('rename', x, from);
  const axes = x.axes.map((axis) => (axis === from ? to : axis));
  requireDistinctAxes('rename', axes, x.shape);
  return rawReshape(x, axes, x.shape) as unknown as Symbolic<D, Renamed<A, From, To>>;
}

/**
 * One axis split into several; the result's axes are named so that the compiler knows them.
 *
 * @param into Sizes of the new axes, outermost first.
 * @param result All axes of the result, the new ones in the place of the old one.
 * @throws UserLlmError `shape-mismatch` when the sizes do not multiply to that of the axis.
 */
export function splitAxis<D extends DType, A extends Axes, const R extends Axes>(
  x: Symbolic<D, A>,
  axis: A[number],
  into: Readonly<Record<string, Size>>,
  result: R,
): Symbolic<D, R> {
  const index = axisIndex('splitAxis', x, axis);
  const axes = [...x.axes.slice(0, index), ...Object.keys(into), ...x.axes.slice(index + 1)];
  const shape = [...x.shape.slice(0, index), ...Object.values(into), ...x.shape.slice(index + 1)];
  return namedReshape('splitAxis', x, axes, shape, result);
}

/**
 * Neighbouring axes joined into one; the result's axes are named so that the compiler knows them.
 *
 * @param joined Names of the axes to join, outermost first, as they stand in the tensor.
 */
export function joinAxes<D extends DType, A extends Axes, const R extends Axes>(
  x: Symbolic<D, A>,
  joined: readonly A[number][],
  into: string,
  result: R,
): Symbolic<D, R> {
  const first = axisIndex('joinAxes', x, joined[0] ?? '');
  if (!joined.every((axis, offset) => x.axes[first + offset] === axis)) {
    throw mismatch('joinAxes', `neighbouring axes [${joined.join(', ')}]`, [x], 'Transpose the tensor first.');
  }
  const after = first + joined.length;
  const size = x.shape.slice(first, after).reduce(multiplySizes);
  const axes = [...x.axes.slice(0, first), into, ...x.axes.slice(after)];
  return namedReshape('joinAxes', x, axes, [...x.shape.slice(0, first), size, ...x.shape.slice(after)], result);
}

function namedReshape<D extends DType, R extends Axes>(
  what: string,
  x: Symbolic<D>,
  axes: Axes,
  shape: readonly Size[],
  result: R,
): Symbolic<D, R> {
  if (axes.length !== result.length || axes.some((axis, index) => axis !== result[index])) {
    throw new UserLlmError('axis-mismatch', {
      what,
      expected: `result axes [${axes.join(', ')}]`,
      got: `[${result.join(', ')}]`,
    });
  }
  requireDistinctAxes(what, axes, shape);
  return rawReshape(x, axes, shape) as Symbolic<D, R>;
}

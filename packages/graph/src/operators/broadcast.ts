import { UserLlmError, type Axes, type DType } from '@user-llm/tensor';
import { movementCost } from '../cost.js';
import { broadcastTypes, mismatch, typeText } from '../inference.js';
import { applyOne, definePrimitive } from '../operator.js';
import { mapBroadcast } from '../reference-kernels.js';
import { sameShape, sameSize, type Size } from '../size.js';
import type { Symbolic } from '../symbolic.js';
import { rawReshape } from './reshape.js';
import { rawSum } from './reduce.js';

/** Attributes of `broadcastTo`. */
export interface BroadcastAttributes {
  readonly axes: Axes;
  readonly shape: readonly Size[];
}

/** A tensor stretched to a larger shape. */
export const broadcastToOperator = definePrimitive<BroadcastAttributes>({
  name: 'broadcastTo',
  infer: ([x], { axes, shape }) => {
    const { shape: joint } = broadcastTypes('broadcastTo', [x!, { dtype: x!.dtype, axes, shape }]);
    if (!sameShape(joint, shape))
      throw mismatch('broadcastTo', `a shape that stretches to [${shape.join(', ')}]`, [x!]);
    return [{ dtype: x!.dtype, axes, shape }];
  },
  gradient: ({ inputs: [x] }, [g]) => [g && unbroadcast(g, x!)],
  cost: (_, outputs) => movementCost(outputs),
  onnx: (emitter, [x], { attributes: { shape } }) => emitter.emit('Expand', [x!.name, emitter.sizes(shape)]),
  reference: ([x], { outputs: [output] }) => [mapBroadcast(x!.dtype, output!.shape, [x!], (value) => value)],
  examples: [
    { name: 'new axis', inputs: [{ shape: [3] }], attributes: { axes: ['a', 'b'], shape: [2, 3] } },
    { name: 'size 1', inputs: [{ shape: [2, 1, 3] }], attributes: { axes: ['a', 'b', 'c'], shape: [2, 4, 3] } },
    { name: 'scalar', inputs: [{ shape: [] }], attributes: { axes: ['a'], shape: [5] } },
    { name: 'empty', inputs: [{ shape: [0, 1] }], attributes: { axes: ['a', 'b', 'c'], shape: [2, 0, 3] } },
    { name: 'to empty', inputs: [{ shape: [1, 3] }], attributes: { axes: ['a', 'b'], shape: [0, 3] } },
  ],
});

/** @internal The tensor itself where it has the shape already. */
export function rawBroadcastTo(x: Symbolic, axes: Axes, shape: readonly Size[]): Symbolic {
  return sameShape(x.shape, shape) ? x : applyOne(broadcastToOperator, [x], { axes, shape });
}

/**
 * A tensor stretched to the axes and sizes of another.
 *
 * @param x Its axes are among those of `like`, in the same order.
 */
export function broadcastLike<D extends DType, A extends Axes, B extends readonly A[number][]>(
  x: Symbolic<D, B>,
  like: Symbolic<DType, A>,
): Symbolic<D, A> {
  const [, y] = alignAxes('broadcastLike', like, x);
  return rawBroadcastTo(y, like.axes, like.shape) as Symbolic<D, A>;
}

/** @internal The sum of a gradient over the axes along which `like` was stretched. */
export function unbroadcast(gradient: Symbolic, like: Symbolic): Symbolic {
  if (sameShape(gradient.shape, like.shape)) return gradient;
  const skipped = gradient.shape.length - like.shape.length;
  const stretched = gradient.shape.flatMap((size, axis) =>
    axis < skipped || (sameSize(like.shape[axis - skipped]!, 1) && !sameSize(size, 1)) ? [axis] : [],
  );
  return rawReshape(stretched.length > 0 ? rawSum(gradient, stretched, true) : gradient, like.axes, like.shape);
}

/**
 * @internal Two tensors made ready for broadcasting from the right: the axes of one are among those of the other in
 * the same order, and it gets sizes of 1 where it has none.
 */
export function alignAxes(what: string, x: Symbolic, y: Symbolic): [Symbolic, Symbolic] {
  const aligned = x.axes.length >= y.axes.length ? alignTo(what, y, x) : alignTo(what, x, y);
  return x.axes.length >= y.axes.length ? [x, aligned] : [aligned, y];
}

function alignTo(what: string, narrow: Symbolic, wide: Symbolic): Symbolic {
  const axes: string[] = [];
  const shape: Size[] = [];
  let at = 0;
  for (const axis of wide.axes) {
    const own = narrow.axes[at] === axis;
    // Leading sizes of 1 are left to broadcasting.
    if (own || axes.length > 0) {
      axes.push(axis);
      shape.push(own ? narrow.shape[at]! : 1);
    }
    if (own) at++;
  }
  if (at < narrow.axes.length) {
    throw new UserLlmError('axis-mismatch', {
      what,
      expected: `axes among [${wide.axes.join(', ')}], in that order`,
      got: `${typeText(wide)} and ${typeText(narrow)}`,
      mend: 'Rename or transpose the axes of one of them so that what belongs together has one name.',
    });
  }
  return rawReshape(narrow, axes, shape);
}

import { denseStrides, UserLlmError, type Axes, type DType } from '@user-llm/tensor';
import { movementCost } from '../cost.js';
import { axisIndex, typeText } from '../inference.js';
import { applyOne, definePrimitive } from '../operator.js';
import { forEachOffset, referenceArray } from '../reference-kernels.js';
import type { Symbolic } from '../symbolic.js';

/** Attributes of `transpose`. */
export interface TransposeAttributes {
  /** For each axis of the output, which axis of the input it is. */
  readonly permutation: readonly number[];
}

/** The same tensor with its axes in another order. */
export const transposeOperator = definePrimitive<TransposeAttributes>({
  name: 'transpose',
  infer: ([x], { permutation }) => {
    const valid = permutation.length === x!.axes.length && x!.axes.every((_, axis) => permutation.includes(axis));
    if (!valid) {
      throw new UserLlmError('axis-mismatch', {
        what: 'transpose',
        expected: `each axis of ${typeText(x!)} once`,
        got: `[${permutation.join(', ')}]`,
      });
    }
    return [
      {
        dtype: x!.dtype,
        axes: permutation.map((axis) => x!.axes[axis]!),
        shape: permutation.map((axis) => x!.shape[axis]!),
      },
    ];
  },
  gradient: ({ attributes: { permutation } }, [g]) => [
    g &&
      rawTranspose(
        g,
        permutation.map((_, axis) => permutation.indexOf(axis)),
      ),
  ],
  cost: (_, outputs) => movementCost(outputs),
  onnx: (emitter, [x], { attributes: { permutation } }) =>
    emitter.emit('Transpose', [x!.name], { perm: { ints: permutation } }),
  reference: ([x], { attributes: { permutation }, outputs: [output] }) => {
    const strides = denseStrides(x!.shape);
    const result = referenceArray(x!.dtype, output!.shape);
    forEachOffset(output!.shape, [permutation.map((axis) => strides[axis]!)], (position, [offset]) => {
      result.data[position] = x!.data[offset!]!;
    });
    return [result];
  },
  examples: [
    { name: 'matrix', inputs: [{ shape: [2, 3] }], attributes: { permutation: [1, 0] } },
    { name: 'heads', inputs: [{ shape: [2, 3, 2, 4] }], attributes: { permutation: [0, 2, 1, 3] } },
    { name: 'size 1', inputs: [{ shape: [1, 3] }], attributes: { permutation: [1, 0] } },
    { name: 'empty', inputs: [{ shape: [0, 3] }], attributes: { permutation: [1, 0] } },
  ],
});

/** @internal The tensor itself where the order is that already. */
export function rawTranspose(x: Symbolic, permutation: readonly number[]): Symbolic {
  const inOrder = permutation.length === x.axes.length && permutation.every((axis, index) => axis === index);
  return inOrder ? x : applyOne(transposeOperator, [x], { permutation });
}

/** @internal The last two axes exchanged. */
export function rawTransposeLast(x: Symbolic): Symbolic {
  const rank = x.axes.length;
  return rawTranspose(
    x,
    [...x.axes.keys()].map((axis) => (axis === rank - 1 ? rank - 2 : axis === rank - 2 ? rank - 1 : axis)),
  );
}

/**
 * The same tensor with its axes in the order given.
 *
 * @throws UserLlmError `axis-mismatch` when an axis is missing or there is none of that name.
 */
export function transpose<D extends DType, A extends Axes, const R extends readonly A[number][]>(
  x: Symbolic<D, A>,
  order: R,
): Symbolic<D, R> {
  return rawTranspose(
    x,
    order.map((axis) => axisIndex('transpose', x, axis)),
  ) as unknown as Symbolic<D, R>;
}

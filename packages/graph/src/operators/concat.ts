import { type Axes, type DType } from '@user-llm/tensor';
import { movementCost } from '../cost.js';
import { axisIndex, mismatch, requireAxis, requireSameDType } from '../inference.js';
import { applyOne, definePrimitive } from '../operator.js';
import { aroundAxis, referenceArray } from '../reference-kernels.js';
import { addSizes, sameSize, type Size } from '../size.js';
import type { Symbolic } from '../symbolic.js';
import { rawReshape } from './reshape.js';
import { rawSlice } from './slice.js';

/** Attributes of `concat`. */
export interface ConcatAttributes {
  readonly axis: number;
}

/** Tensors laid one after the other along an axis. */
export const concatOperator = definePrimitive<ConcatAttributes>({
  name: 'concat',
  infer: (inputs, { axis }) => {
    if (inputs.length === 0) throw mismatch('concat', 'at least one tensor', []);
    requireSameDType('concat', inputs);
    const [first] = inputs;
    requireAxis('concat', first!, axis);
    const fit = inputs.every(
      ({ shape }) =>
        shape.length === first!.shape.length &&
        shape.every((size, at) => at === axis || sameSize(size, first!.shape[at]!)),
    );
    if (!fit) throw mismatch('concat', `equal sizes in all axes but ${first!.axes[axis]}`, inputs);
    const total = inputs.map(({ shape }) => shape[axis]!).reduce(addSizes);
    return [{ ...first!, shape: first!.shape.map((size, at) => (at === axis ? total : size)) }];
  },
  gradient: ({ inputs, attributes: { axis } }, [g]) => {
    let start: Size = 0;
    return inputs.map((input) => {
      const from = start;
      start = addSizes(start, input.shape[axis]!);
      return g && rawSlice(g, axis, from, start);
    });
  },
  cost: (_, outputs) => movementCost(outputs),
  onnx: (emitter, inputs, { attributes: { axis } }) =>
    emitter.emit(
      'Concat',
      inputs.map(({ name }) => name),
      { axis: { int: axis } },
    ),
  reference: (inputs, { attributes: { axis }, outputs: [output] }) => {
    const result = referenceArray(output!.dtype, output!.shape);
    const { outer, size, inner } = aroundAxis(output!.shape, axis);
    let start = 0;
    for (const input of inputs) {
      const rows = input.shape[axis]! * inner;
      for (let at = 0; at < outer; at++) {
        result.data.set(input.data.subarray(at * rows, (at + 1) * rows), at * size * inner + start);
      }
      start += rows;
    }
    return [result];
  },
  examples: [
    { name: 'last axis', inputs: [{ shape: [2, 3] }, { shape: [2, 1] }], attributes: { axis: 1 } },
    { name: 'first axis', inputs: [{ shape: [2, 3] }, { shape: [1, 3] }, { shape: [4, 3] }], attributes: { axis: 0 } },
    { name: 'one empty', inputs: [{ shape: [0, 3] }, { shape: [2, 3] }], attributes: { axis: 0 } },
    { name: 'one tensor', inputs: [{ shape: [2, 3] }], attributes: { axis: 1 } },
  ],
});

/** @internal The tensor itself where there is one. */
export function rawConcat(inputs: readonly Symbolic[], axis: number): Symbolic {
  return inputs.length === 1 ? inputs[0]! : applyOne(concatOperator, inputs, { axis });
}

/**
 * Tensors laid one after the other along a named axis.
 *
 * @throws UserLlmError `shape-mismatch` when other sizes differ, `axis-mismatch` when there is no such axis.
 */
export function concat<D extends DType, A extends Axes>(
  inputs: readonly [Symbolic<D, A>, ...Symbolic<NoInfer<D>, NoInfer<A>>[]],
  axis: A[number],
): Symbolic<D, A> {
  const index = axisIndex('concat', inputs[0], axis);
  const wrong = inputs.find((input) => input.axes.some((name, at) => name !== inputs[0].axes[at]));
  if (wrong) throw mismatch('concat', 'the same axis names in all tensors', inputs, 'Rename or transpose first.');
  return rawConcat(inputs, index) as Symbolic<D, A>;
}

/**
 * Tensors of fewer axes laid beside each other along a new first axis.
 *
 * @returns `[axis, ...A]`
 */
export function stack<D extends DType, A extends Axes, const Name extends string>(
  inputs: readonly [Symbolic<D, A>, ...Symbolic<NoInfer<D>, NoInfer<A>>[]],
  axis: Name,
): Symbolic<D, readonly [Name, ...A]> {
  const raised = inputs.map((input) => rawStackable(input, axis));
  return rawConcat(raised, 0) as unknown as Symbolic<D, readonly [Name, ...A]>;
}

function rawStackable(input: Symbolic, axis: string): Symbolic {
  return rawReshape(input, [axis, ...input.axes], [1, ...input.shape]);
}

import type { Axes, DType } from '@user-llm/tensor';
import { elementwiseCost } from '../cost.js';
import { broadcastTypes, requireDType, requireSameDType } from '../inference.js';
import { applyOne, definePrimitive } from '../operator.js';
import { mapBroadcast } from '../reference-kernels.js';
import type { Symbolic } from '../symbolic.js';
import { alignAxes, unbroadcast } from './broadcast.js';
import { scalarLike, type NoAttributes } from './elementwise.js';

/** Elements of one tensor where a condition holds, of another where it does not. */
export const whereOperator = definePrimitive<NoAttributes>({
  name: 'where',
  infer: ([condition, x, y]) => {
    requireDType('where', 'bool', condition!);
    requireSameDType('where', [x!, y!]);
    return [{ dtype: x!.dtype, ...broadcastTypes('where', [x!, y!, condition!]) }];
  },
  gradient: ({ inputs: [condition, x, y] }, [g]) => {
    if (!g) return [];
    const zero = scalarLike(g, 0);
    return [undefined, unbroadcast(rawWhere(condition!, g, zero), x!), unbroadcast(rawWhere(condition!, zero, g), y!)];
  },
  cost: elementwiseCost,
  onnx: (emitter, inputs) =>
    emitter.emit(
      'Where',
      inputs.map(({ name }) => name),
    ),
  reference: (inputs, { outputs: [output] }) => [
    mapBroadcast(output!.dtype, output!.shape, inputs, (condition, x, y) => (condition !== 0 ? x! : y!)),
  ],
  examples: [
    {
      name: 'same shape',
      inputs: [{ dtype: 'bool', shape: [3, 4], values: { below: 2 } }, { shape: [3, 4] }, { shape: [3, 4] }],
      attributes: {},
    },
    {
      name: 'broadcast',
      inputs: [{ dtype: 'bool', shape: [3, 1], values: { below: 2 } }, { shape: [4] }, { shape: [] }],
      attributes: {},
    },
    {
      name: 'empty',
      inputs: [{ dtype: 'bool', shape: [0, 2], values: { below: 2 } }, { shape: [0, 2] }, { shape: [] }],
      attributes: {},
    },
    {
      name: 'not chosen may be NaN',
      inputs: [
        { dtype: 'bool', shape: [2], values: [1, 0] },
        { shape: [2], values: [1, NaN] },
        { shape: [2], values: [NaN, 2] },
      ],
      attributes: {},
    },
  ],
});

/** @internal */
export function rawWhere(condition: Symbolic, x: Symbolic, y: Symbolic): Symbolic {
  return applyOne(whereOperator, [condition, x, y], {});
}

/**
 * Elements of `x` where the condition holds, of `y` elsewhere. What is not chosen may be NaN or infinite: neither
 * it nor its gradient shows.
 *
 * @param condition Its axes are among those of `x`.
 * @param y A tensor whose axes are among those of `x`, or a number.
 */
export function where<D extends DType, A extends Axes, C extends readonly A[number][], B extends readonly A[number][]>(
  condition: Symbolic<'bool', C>,
  x: Symbolic<D, A>,
  y: Symbolic<NoInfer<D>, B> | number,
): Symbolic<D, A> {
  const other = typeof y === 'number' ? scalarLike(x, y) : alignAxes('where', x, y)[1];
  return rawWhere(alignAxes('where', x, condition)[1], x, other) as Symbolic<D, A>;
}

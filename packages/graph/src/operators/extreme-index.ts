import { elements, type Axes } from '@user-llm/tensor';
import { bytesOf } from '../cost.js';
import { mismatch, requireAxis } from '../inference.js';
import { apply, applyOne, definePrimitive } from '../operator.js';
import { aroundAxis, referenceArray } from '../reference-kernels.js';
import type { Float, Symbolic } from '../symbolic.js';
import { rawBroadcastTo } from './broadcast.js';
import { scalarLike } from './elementwise.js';
import { addAlongOperator } from './take-along.js';

/** Attributes of `argmax`. */
export interface ArgmaxAttributes {
  readonly axis: number;
}

/**
 * The index of the largest element along one axis; of equal ones the first. NaN has no place in the order: where there
 * is one, the index may be any of the axis, and runtimes differ.
 */
export const argmaxOperator = definePrimitive<ArgmaxAttributes>({
  name: 'argmax',
  infer: ([x], { axis }) => {
    requireAxis('argmax', x!, axis);
    return [
      {
        dtype: 'int32',
        axes: x!.axes.filter((_, at) => at !== axis),
        shape: x!.shape.filter((_, at) => at !== axis),
      },
    ];
  },
  gradient: 'none',
  cost: (inputs, outputs) => ({ flops: elements(inputs[0]!.shape), bytes: bytesOf(...inputs, ...outputs) }),
  onnx: (emitter, [x], { attributes: { axis } }) => {
    const index = emitter.emit('ArgMax', [x!.name], { axis: { int: axis }, keepdims: { int: 0 } })[0]!;
    return emitter.emit('Cast', [index], { to: { int: 6 } });
  },
  reference: ([x], { attributes: { axis }, outputs: [output] }) => {
    const result = referenceArray('int32', output!.shape);
    const { outer, size, inner } = aroundAxis(x!.shape, axis);
    for (let row = 0; row < outer * inner; row++) {
      const start = Math.floor(row / inner) * size * inner + (row % inner);
      for (let k = 1; k < size; k++) {
        if (x!.data[start + k * inner]! > x!.data[start + result.data[row]! * inner]!) result.data[row] = k;
      }
    }
    return [result];
  },
  examples: [
    { name: 'last axis', inputs: [{ shape: [3, 5], values: 'distinct' }], attributes: { axis: 1 } },
    { name: 'first axis', inputs: [{ shape: [3, 5], values: 'distinct' }], attributes: { axis: 0 } },
    { name: 'ties', inputs: [{ shape: [2, 4], values: [1, 3, 3, 2, 5, 5, 5, 5] }], attributes: { axis: 1 } },
    { name: 'size 1', inputs: [{ shape: [3, 1] }], attributes: { axis: 1 } },
    { name: 'no rows', inputs: [{ shape: [0, 4] }], attributes: { axis: 1 } },
  ],
});

/**
 * The index of the largest element along the last axis; of equal ones the first. Where an element is NaN, any index of
 * the axis, and not the same on every runtime.
 *
 * @param x `[...L, N]`
 * @returns `[...L]`
 */
export function argmax<L extends Axes, N extends string>(x: Float<readonly [...L, N]>): Symbolic<'int32', L> {
  return applyOne(argmaxOperator, [x], { axis: x.axes.length - 1 }) as Symbolic<'int32', L>;
}

/** Attributes of `topK`. */
export interface TopKAttributes {
  readonly axis: number;
  readonly k: number;
  /** Name of the axis of ranks in the results. */
  readonly name: string;
}

/**
 * The largest elements along one axis, in falling order, and their indices; of equal ones the lower index first. NaN
 * has no place in the order: where there is one, the indices may be any of the axis, and runtimes differ.
 */
export const topKOperator = definePrimitive<TopKAttributes>({
  name: 'topK',
  infer: ([x], { axis, k, name }) => {
    requireAxis('topK', x!, axis);
    const size = x!.shape[axis]!;
    if (!Number.isInteger(k) || k < 0 || (typeof size === 'number' && k > size)) {
      throw mismatch('topK', `k from 0 to ${size}, not ${k}`, [x!], 'Ask for fewer.');
    }
    const axes = x!.axes.map((old, at) => (at === axis ? name : old));
    const shape = x!.shape.map((old, at) => (at === axis ? k : old));
    return [
      { dtype: x!.dtype, axes, shape },
      { dtype: 'int32', axes, shape },
    ];
  },
  gradient: ({ inputs: [x], outputs, attributes: { axis } }, [g]) => {
    if (!g) return [];
    const zeros = rawBroadcastTo(scalarLike(x!, 0), x!.axes, x!.shape);
    return [applyOne(addAlongOperator, [zeros, outputs[1]!, g], { axis })];
  },
  cost: (inputs, outputs) => ({ flops: elements(inputs[0]!.shape), bytes: bytesOf(...inputs, ...outputs) }),
  onnx: (emitter, [x], { attributes: { axis, k }, outputs: [output] }) => {
    const count = emitter.constant('int64', [1], [k]);
    const settings = { axis: { int: axis } };
    const asIndices = (indices: string): string => emitter.emit('Cast', [indices], { to: { int: 6 } })[0]!;
    if (axis === 0 || x!.shape.every((size) => typeof size === 'number' && size > 0)) {
      const [values, indices] = emitter.emit('TopK', [x!.name, count], settings, { outputs: 2 });
      return [values!, asIndices(indices!)];
    }
    // ONNX Runtime ends the process on TopK of no rows, so one row more is given and taken away.
    const one = emitter.constant('int64', [2], [0, 1]);
    const first = emitter.constant('int64', [1], [0]);
    const padded = emitter.emit('Pad', [x!.name, one, emitter.constant(x!.dtype, [], [0]), first])[0]!;
    const rows = emitter.sizes(output!.shape.slice(0, 1));
    return emitter
      .emit('TopK', [padded, count], settings, { outputs: 2 })
      .map((name) => emitter.emit('Slice', [name, first, rows, first])[0]!)
      .map((name, at) => (at === 0 ? name : asIndices(name)));
  },
  reference: ([x], { attributes: { axis, k }, outputs: [values, indices] }) => {
    const best = referenceArray(values!.dtype, values!.shape);
    const places = referenceArray('int32', indices!.shape);
    const { outer, size, inner } = aroundAxis(x!.shape, axis);
    for (let row = 0; row < outer * inner; row++) {
      const block = Math.floor(row / inner);
      const column = row % inner;
      const at = (index: number): number => x!.data[(block * size + index) * inner + column]!;
      const order = [...Array(size).keys()].sort((a, b) => at(b) - at(a) || a - b);
      for (let rank = 0; rank < k; rank++) {
        best.data[(block * k + rank) * inner + column] = at(order[rank]!);
        places.data[(block * k + rank) * inner + column] = order[rank]!;
      }
    }
    return [best, places];
  },
  examples: [
    { name: 'last axis', inputs: [{ shape: [3, 6], values: 'distinct' }], attributes: { axis: 1, k: 2, name: 'rank' } },
    {
      name: 'first axis',
      inputs: [{ shape: [4, 3], values: 'distinct' }],
      attributes: { axis: 0, k: 4, name: 'rank' },
    },
    {
      name: 'ties',
      inputs: [{ dtype: 'float32', shape: [1, 5], values: [2, 7, 7, 1, 7] }],
      attributes: { axis: 1, k: 3, name: 'rank' },
      smooth: false,
    },
    { name: 'size 1', inputs: [{ shape: [3, 1] }], attributes: { axis: 1, k: 1, name: 'rank' } },
    { name: 'no rows', inputs: [{ shape: [0, 4] }], attributes: { axis: 1, k: 2, name: 'rank' } },
  ],
});

/**
 * The k largest elements of the last axis, in falling order; of equal ones the lower index first. Where an element is
 * NaN, any elements of the axis, and not the same on every runtime.
 *
 * @param x `[...L, N]`
 * @param name Name of the axis of ranks.
 * @returns Values and indices, both `[...L, name]` with size k.
 * @throws UserLlmError `shape-mismatch` when k is larger than the axis.
 */
export function topK<L extends Axes, N extends string, const Name extends string>(
  x: Float<readonly [...L, N]>,
  k: number,
  name: Name,
): { values: Float<readonly [...L, Name]>; indices: Symbolic<'int32', readonly [...L, Name]> } {
  const [values, indices] = apply(topKOperator, [x], { axis: x.axes.length - 1, k, name });
  return {
    values: values as unknown as Float<readonly [...L, Name]>,
    indices: indices as unknown as Symbolic<'int32', readonly [...L, Name]>,
  };
}

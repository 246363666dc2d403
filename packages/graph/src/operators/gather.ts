import { elements, UserLlmError, type Axes, type DType, type Id } from '@user-llm/tensor';
import { bytesOf, movementCost } from '../cost.js';
import { mismatch, requireAxis, requireDType } from '../inference.js';
import { applyOne, definePrimitive } from '../operator.js';
import { aroundAxis, referenceArray, wrapped } from '../reference-kernels.js';
import { sameShape, sizeOfShape, type Size } from '../size.js';
import type { Float, Symbolic } from '../symbolic.js';
import { refusedWhereNegative } from './index-range.js';
import { requireDistinctAxes } from './input.js';
import { rawReshape } from './reshape.js';
import { rawTranspose } from './transpose.js';

/** Attributes of `gather`. */
export interface GatherAttributes {
  readonly axis: number;
}

/** @internal Throws when an index of a reference kernel lies outside. */
export function requireIndex(what: string, index: number, size: number): void {
  if (index < 0 || index >= size) {
    throw new UserLlmError('out-of-range', {
      what,
      expected: `indices from 0 to ${size - 1}`,
      got: `${index}`,
      mend: 'Map unknown ids to a row of their own before.',
    });
  }
}

/**
 * Slices of a tensor along one axis, chosen by whole numbers; an index outside, a negative one as well, is the error
 * `out-of-range` when the graph runs.
 */
export const gatherOperator = definePrimitive<GatherAttributes>({
  name: 'gather',
  infer: ([x, indices], { axis }) => {
    requireAxis('gather', x!, axis);
    requireDType('gather', 'int32', indices!);
    const around = <T>(of: readonly T[], inner: readonly T[]): T[] => [
      ...of.slice(0, axis),
      ...inner,
      ...of.slice(axis + 1),
    ];
    return [{ dtype: x!.dtype, axes: around(x!.axes, indices!.axes), shape: around(x!.shape, indices!.shape) }];
  },
  gradient: ({ inputs: [x, indices], attributes: { axis } }, [g]) => {
    if (!g) return [];
    const front = x!.shape.map((_, at) => at).filter((at) => at !== axis);
    // Bring the gathered axes to the front, add up, and put the axis back in its place.
    const before = [...Array(axis).keys()];
    const gathered = indices!.shape.map((_, at) => axis + at);
    const after = g.shape.map((_, at) => at).slice(axis + indices!.shape.length);
    const ordered = rawTranspose(g, [...gathered, ...before, ...after]);
    const rest = front.map((at) => x!.shape[at]!);
    const rows = rawReshape(
      ordered,
      ['row', ...front.map((at) => x!.axes[at]!)],
      [sizeOfShape(indices!.shape), ...rest],
    );
    const flat = rawReshape(indices!, ['row'], [sizeOfShape(indices!.shape)]);
    const added = rawScatterAdd(flat, rows, x!.axes[axis]!, x!.shape[axis]!);
    return [rawTranspose(added, [...before.map((at) => at + 1), 0, ...after.map((_, at) => axis + 1 + at)])];
  },
  cost: (inputs, outputs) => ({ flops: 0, bytes: movementCost(outputs).bytes + bytesOf(inputs[1]!) }),
  onnx: (emitter, [x, indices], { inputs: [, given], attributes: { axis } }) =>
    emitter.emit('Gather', [x!.name, refusedWhereNegative(emitter, indices!, given!)], { axis: { int: axis } }),
  reference: ([x, indices], { attributes: { axis }, outputs: [output] }) => {
    const result = referenceArray(x!.dtype, output!.shape);
    const { outer, size, inner } = aroundAxis(x!.shape, axis);
    const count = indices!.data.length;
    indices!.data.forEach((index, at) => {
      requireIndex('gather', index, size);
      for (let row = 0; row < outer; row++) {
        const begin = (row * size + index) * inner;
        result.data.set(x!.data.subarray(begin, begin + inner), (row * count + at) * inner);
      }
    });
    return [result];
  },
  examples: [
    {
      name: 'rows',
      inputs: [{ shape: [5, 3] }, { dtype: 'int32', shape: [2, 4], values: { below: 5 } }],
      attributes: { axis: 0 },
    },
    {
      name: 'columns',
      inputs: [{ shape: [2, 5] }, { dtype: 'int32', shape: [3], values: { below: 5 } }],
      attributes: { axis: 1 },
    },
    {
      name: 'middle axis',
      inputs: [{ shape: [2, 4, 3] }, { dtype: 'int32', shape: [2, 2], values: { below: 4 } }],
      attributes: { axis: 1 },
    },
    {
      name: 'one index',
      inputs: [{ shape: [5, 3] }, { dtype: 'int32', shape: [], values: [4] }],
      attributes: { axis: 0 },
    },
    {
      name: 'size 1',
      inputs: [{ shape: [1, 1] }, { dtype: 'int32', shape: [1], values: [0] }],
      attributes: { axis: 0 },
    },
    { name: 'none', inputs: [{ shape: [5, 3] }, { dtype: 'int32', shape: [0], values: [] }], attributes: { axis: 0 } },
    {
      name: 'repeated',
      inputs: [{ shape: [2, 3] }, { dtype: 'int32', shape: [64], values: { below: 2 } }],
      attributes: { axis: 0 },
    },
  ],
});

/** @internal */
export function rawGather(x: Symbolic, indices: Symbolic, axis: number): Symbolic {
  return applyOne(gatherOperator, [x, indices], { axis });
}

/**
 * Rows of a table by the ids of what its rows stand for, such as an embedding lookup.
 *
 * @param table `[N, ...E]`
 * @param ids Whole numbers from 0 to N - 1, branded with the name of the table's first axis.
 * @returns `[...axes of ids, ...E]`
 * @throws UserLlmError `out-of-range` when the graph runs and an id is not a row of the table.
 */
export function embed<N extends string, E extends Axes, A extends Axes>(
  table: Float<readonly [N, ...E]>,
  ids: Symbolic<Id<NoInfer<N>>, A>,
): Float<readonly [...A, ...E]> {
  return rawGather(table, ids, 0) as unknown as Float<readonly [...A, ...E]>;
}

/**
 * Slices along the first axis, chosen by whole numbers of any kind; `embed` checks that ids are of the right kind.
 *
 * @param x `[N, ...E]`
 * @param indices Whole numbers from 0 to N - 1.
 * @returns `[...axes of indices, ...E]`
 * @throws UserLlmError `out-of-range` when the graph runs and an index is another, a negative one as well.
 */
export function gather<D extends DType, N extends string, E extends Axes, A extends Axes>(
  x: Symbolic<D, readonly [N, ...E]>,
  indices: Symbolic<'int32', A>,
): Symbolic<D, readonly [...A, ...E]> {
  return rawGather(x, indices, 0) as unknown as Symbolic<D, readonly [...A, ...E]>;
}

/** Attributes of `scatterAdd`. */
export interface ScatterAddAttributes {
  /** Name of the new first axis. */
  readonly axis: string;
  /** Its size. */
  readonly size: Size;
}

/** Rows added up by the index each belongs to; an index outside is the error `out-of-range` when the graph runs. */
export const scatterAddOperator = definePrimitive<ScatterAddAttributes>({
  name: 'scatterAdd',
  infer: ([indices, updates], { axis, size }) => {
    requireDType('scatterAdd', 'int32', indices!);
    const rank = indices!.shape.length;
    if (rank !== 1 || !sameShape(indices!.shape, updates!.shape.slice(0, 1))) {
      throw mismatch('scatterAdd', 'one index per row of updates', [indices!, updates!]);
    }
    return [
      { dtype: updates!.dtype, axes: [axis, ...updates!.axes.slice(1)], shape: [size, ...updates!.shape.slice(1)] },
    ];
  },
  gradient: ({ inputs: [indices] }, [g]) => [undefined, g && rawGather(g, indices!, 0)],
  cost: (inputs, outputs) => ({
    flops: elements(inputs[1]!.shape),
    bytes: bytesOf(...inputs) + 2 * bytesOf(...outputs),
  }),
  onnx: (emitter, [indices, updates], { inputs: [given], outputs: [output] }) => {
    // ScatterElements, because ScatterND with reduction=add loses updates when it runs on several threads.
    const rank = output!.shape.length;
    const zeros = emitter.emit('ConstantOfShape', [emitter.sizes(output!.shape)], {
      value: { tensor: { dtype: updates!.dtype, shape: [1], data: zeroOf(updates!.dtype) } },
    })[0]!;
    const column = emitter.emit(
      'Reshape',
      [
        refusedWhereNegative(emitter, indices!, given!),
        emitter.sizes([indices!.shape[0]!, ...Array<Size>(rank - 1).fill(1)]),
      ],
      { allowzero: { int: 1 } },
    )[0]!;
    const spread = rank === 1 ? column : emitter.emit('Expand', [column, emitter.sizes(updates!.shape)])[0]!;
    return emitter.emit('ScatterElements', [zeros, spread, updates!.name], {
      axis: { int: 0 },
      reduction: { string: 'add' },
    });
  },
  reference: ([indices, updates], { outputs: [output] }) => {
    const result = referenceArray(output!.dtype, output!.shape);
    const width = elements(output!.shape.slice(1));
    indices!.data.forEach((index, row) => {
      requireIndex('scatterAdd', index, output!.shape[0]!);
      for (let k = 0; k < width; k++) {
        const at = index * width + k;
        result.data[at] = wrapped(output!.dtype, result.data[at]! + updates!.data[row * width + k]!);
      }
    });
    return [result];
  },
  examples: [
    {
      name: 'rows',
      inputs: [{ dtype: 'int32', shape: [6], values: { below: 4 } }, { shape: [6, 3] }],
      attributes: { axis: 'n', size: 4 },
    },
    {
      name: 'numbers',
      inputs: [{ dtype: 'int32', shape: [6], values: { below: 4 } }, { shape: [6] }],
      attributes: { axis: 'n', size: 4 },
    },
    {
      name: 'blocks',
      inputs: [{ dtype: 'int32', shape: [4], values: { below: 3 } }, { shape: [4, 2, 2] }],
      attributes: { axis: 'n', size: 3 },
    },
    {
      name: 'size 1',
      inputs: [{ dtype: 'int32', shape: [1], values: [0] }, { shape: [1, 1] }],
      attributes: { axis: 'n', size: 1 },
    },
    {
      name: 'whole numbers that wrap around',
      inputs: [
        { dtype: 'int32', shape: [3], values: [1, 1, 0] },
        { dtype: 'int32', shape: [3], values: [2147483647, 2, 5] },
      ],
      attributes: { axis: 'n', size: 2 },
    },
    {
      name: 'none',
      inputs: [{ dtype: 'int32', shape: [0], values: [] }, { shape: [0, 3] }],
      attributes: { axis: 'n', size: 4 },
    },
    {
      name: 'repeated',
      inputs: [{ dtype: 'int32', shape: [64], values: { below: 2 } }, { shape: [64, 3] }],
      attributes: { axis: 'n', size: 2 },
    },
  ],
});

function zeroOf(dtype: DType): Float32Array | Int32Array | Float64Array {
  return dtype === 'int32' ? new Int32Array(1) : dtype === 'float64' ? new Float64Array(1) : new Float32Array(1);
}

/** @internal */
export function rawScatterAdd(indices: Symbolic, updates: Symbolic, axis: string, size: Size): Symbolic {
  return applyOne(scatterAddOperator, [indices, updates], { axis, size });
}

/**
 * Rows added up by the index each belongs to; rows that no index names are 0.
 *
 * @param indices `[R]`, whole numbers from 0 to `size - 1`.
 * @param updates `[R, ...E]`
 * @param axis Name of the result's first axis.
 * @returns `[axis, ...E]`
 * @throws UserLlmError `out-of-range` when the graph runs and an index is another, a negative one as well.
 */
export function scatterAdd<D extends DType, R extends string, E extends Axes, const Name extends string>(
  indices: Symbolic<'int32', readonly [R]>,
  updates: Symbolic<D, readonly [NoInfer<R>, ...E]>,
  axis: Name,
  size: Size,
): Symbolic<D, readonly [Name, ...E]> {
  const result = rawScatterAdd(indices, updates, axis, size);
  requireDistinctAxes('scatterAdd', result.axes, result.shape);
  return result as unknown as Symbolic<D, readonly [Name, ...E]>;
}

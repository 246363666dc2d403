import { elements, type Axes, type DType } from '@user-llm/tensor';
import { bytesOf, movementCost } from '../cost.js';
import { axisIndex, mismatch, requireAxis, requireDType } from '../inference.js';
import { applyOne, definePrimitive, type PrimitiveOperator, type ReferenceArray } from '../operator.js';
import { aroundAxis, referenceArray, wrapped } from '../reference-kernels.js';
import { sameShape, type Size } from '../size.js';
import type { Symbolic, TensorType } from '../symbolic.js';
import { rawBroadcastTo } from './broadcast.js';
import { scalarLike } from './elementwise.js';
import { requireIndex } from './gather.js';
import { refusedWhereNegative } from './index-range.js';
import { rawReshape } from './reshape.js';

/** Attributes of `takeAlong`. */
export interface TakeAlongAttributes {
  readonly axis: number;
}

function requireBeside(what: string, x: TensorType, indices: TensorType, axis: number): void {
  requireAxis(what, x, axis);
  requireDType(what, 'int32', indices);
  const others = (shape: readonly Size[]): Size[] => shape.filter((_, at) => at !== axis);
  if (x.shape.length !== indices.shape.length || !sameShape(others(x.shape), others(indices.shape))) {
    throw mismatch(what, `equal sizes in all axes but ${x.axes[axis]}`, [x, indices]);
  }
}

function eachIndex(
  what: string,
  indices: ReferenceArray,
  axis: number,
  size: number,
  visit: (position: number, at: number) => void,
): void {
  const { outer, size: count, inner } = aroundAxis(indices.shape, axis);
  for (let row = 0; row < outer; row++) {
    for (let k = 0; k < count; k++) {
      for (let column = 0; column < inner; column++) {
        const position = (row * count + k) * inner + column;
        const index = indices.data[position]!;
        requireIndex(what, index, size);
        visit(position, (row * size + index) * inner + column);
      }
    }
  }
}

/**
 * For every position, the element at a chosen index along one axis; an index outside is the error `out-of-range` when
 * the graph runs.
 */
export const takeAlongOperator: PrimitiveOperator<TakeAlongAttributes> = definePrimitive<TakeAlongAttributes>({
  name: 'takeAlong',
  infer: ([x, indices], { axis }) => {
    requireBeside('takeAlong', x!, indices!, axis);
    return [{ dtype: x!.dtype, axes: x!.axes, shape: indices!.shape }];
  },
  gradient: ({ inputs: [x, indices], attributes: { axis } }, [g]) => {
    if (!g) return [];
    const zeros = rawBroadcastTo(scalarLike(x!, 0), x!.axes, x!.shape);
    return [applyOne(addAlongOperator, [zeros, indices!, g], { axis })];
  },
  cost: (inputs, outputs) => ({ flops: 0, bytes: movementCost(outputs).bytes + bytesOf(inputs[1]!) }),
  onnx: (emitter, [x, indices], { inputs: [, given], attributes: { axis } }) =>
    emitter.emit('GatherElements', [x!.name, refusedWhereNegative(emitter, indices!, given!)], { axis: { int: axis } }),
  reference: ([x, indices], { attributes: { axis }, outputs: [output] }) => {
    const result = referenceArray(x!.dtype, output!.shape);
    eachIndex('takeAlong', indices!, axis, x!.shape[axis]!, (position, at) => {
      result.data[position] = x!.data[at]!;
    });
    return [result];
  },
  examples: [
    {
      name: 'last axis',
      inputs: [{ shape: [3, 5] }, { dtype: 'int32', shape: [3, 2], values: { below: 5 } }],
      attributes: { axis: 1 },
    },
    {
      name: 'first axis',
      inputs: [{ shape: [4, 3] }, { dtype: 'int32', shape: [6, 3], values: { below: 4 } }],
      attributes: { axis: 0 },
    },
    {
      name: 'size 1',
      inputs: [{ shape: [2, 1] }, { dtype: 'int32', shape: [2, 1], values: [0, 0] }],
      attributes: { axis: 1 },
    },
    {
      name: 'none',
      inputs: [{ shape: [3, 5] }, { dtype: 'int32', shape: [3, 0], values: [] }],
      attributes: { axis: 1 },
    },
    {
      name: 'repeated',
      inputs: [{ shape: [2, 2] }, { dtype: 'int32', shape: [2, 32], values: { below: 2 } }],
      attributes: { axis: 1 },
    },
  ],
});

/**
 * A tensor with numbers added at chosen indices along one axis; an index outside is the error `out-of-range` when the
 * graph runs.
 */
export const addAlongOperator: PrimitiveOperator<TakeAlongAttributes> = definePrimitive<TakeAlongAttributes>({
  name: 'addAlong',
  infer: ([x, indices, updates], { axis }) => {
    requireBeside('addAlong', x!, indices!, axis);
    if (!sameShape(indices!.shape, updates!.shape))
      throw mismatch('addAlong', 'one index per update', [indices!, updates!]);
    return [x!];
  },
  gradient: ({ inputs: [, indices], attributes: { axis } }, [g]) => [
    g,
    undefined,
    g && applyOne(takeAlongOperator, [g, indices!], { axis }),
  ],
  cost: (inputs, outputs) => ({ flops: elements(inputs[2]!.shape), bytes: bytesOf(...inputs, ...outputs) }),
  onnx: (emitter, [x, indices, updates], { inputs: [, given], attributes: { axis } }) =>
    emitter.emit('ScatterElements', [x!.name, refusedWhereNegative(emitter, indices!, given!), updates!.name], {
      axis: { int: axis },
      reduction: { string: 'add' },
    }),
  reference: ([x, indices, updates], { attributes: { axis } }) => {
    const result = referenceArray(x!.dtype, x!.shape, x!.data.slice());
    eachIndex('addAlong', indices!, axis, x!.shape[axis]!, (position, at) => {
      result.data[at] = wrapped(x!.dtype, result.data[at]! + updates!.data[position]!);
    });
    return [result];
  },
  examples: [
    {
      name: 'last axis',
      inputs: [{ shape: [3, 5] }, { dtype: 'int32', shape: [3, 2], values: { below: 5 } }, { shape: [3, 2] }],
      attributes: { axis: 1 },
    },
    {
      name: 'first axis',
      inputs: [{ shape: [4, 2] }, { dtype: 'int32', shape: [3, 2], values: { below: 4 } }, { shape: [3, 2] }],
      attributes: { axis: 0 },
    },
    {
      name: 'size 1',
      inputs: [{ shape: [2, 1] }, { dtype: 'int32', shape: [2, 1], values: [0, 0] }, { shape: [2, 1] }],
      attributes: { axis: 1 },
    },
    {
      name: 'none',
      inputs: [{ shape: [3, 5] }, { dtype: 'int32', shape: [3, 0], values: [] }, { shape: [3, 0] }],
      attributes: { axis: 1 },
    },
    {
      name: 'repeated',
      inputs: [{ shape: [2, 2] }, { dtype: 'int32', shape: [2, 32], values: { below: 2 } }, { shape: [2, 32] }],
      attributes: { axis: 1 },
    },
  ],
});

/**
 * For every position, the element at a chosen index along one axis.
 *
 * @param x `[..., N]` with N the axis named
 * @param indices As `x`, but the axis may have another name and size; whole numbers from 0 to N - 1.
 * @returns As `indices`.
 * @throws UserLlmError `out-of-range` when the graph runs and an index is another, a negative one as well.
 */
export function takeAlong<D extends DType, A extends Axes, B extends Axes>(
  x: Symbolic<D, A>,
  indices: Symbolic<'int32', B>,
  axis: A[number],
): Symbolic<D, B> {
  const taken = applyOne(takeAlongOperator, [x, indices], { axis: axisIndex('takeAlong', x, axis) });
  return rawReshape(taken, indices.axes, indices.shape) as Symbolic<D, B>;
}

import type { Axes } from '@user-llm/tensor';
import { movementCost } from '../cost.js';
import { requireDType } from '../inference.js';
import { applyOne, definePrimitive } from '../operator.js';
import { referenceArray } from '../reference-kernels.js';
import type { Size } from '../size.js';
import type { Float, Symbolic } from '../symbolic.js';
import { emitRange } from './size-value.js';

/** Attributes of `oneHot`. */
export interface OneHotAttributes {
  readonly axis: string;
  readonly size: Size;
}

/** Rows of zeros with a 1 at each index; an index outside gives a row of zeros. */
export const oneHotOperator = definePrimitive<OneHotAttributes>({
  name: 'oneHot',
  infer: ([indices], { axis, size }) => {
    requireDType('oneHot', 'int32', indices!);
    return [{ dtype: 'float32', axes: [...indices!.axes, axis], shape: [...indices!.shape, size] }];
  },
  gradient: 'none',
  cost: (_, outputs) => movementCost(outputs),
  onnx: (emitter, [indices], { attributes: { size } }) => {
    // ONNX's OneHot counts negative indices from the end, so compare instead.
    const column = emitter.emit('Unsqueeze', [indices!.name, emitter.constant('int64', [1], [-1])])[0]!;
    const classes = emitRange(emitter, size);
    return emitter.emit('Cast', [emitter.emit('Equal', [column, classes])[0]!], { to: { int: 1 } });
  },
  reference: ([indices], { outputs: [output] }) => {
    const result = referenceArray('float32', output!.shape);
    const size = output!.shape.at(-1)!;
    indices!.data.forEach((index, row) => {
      if (index >= 0 && index < size) result.data[row * size + index] = 1;
    });
    return [result];
  },
  examples: [
    {
      name: 'matrix',
      inputs: [{ dtype: 'int32', shape: [2, 3], values: { below: 4 } }],
      attributes: { axis: 'class', size: 4 },
    },
    {
      name: 'outside',
      inputs: [{ dtype: 'int32', shape: [4], values: [-1, 0, 2, 3] }],
      attributes: { axis: 'class', size: 3 },
    },
    {
      name: 'size 1',
      inputs: [{ dtype: 'int32', shape: [1, 2], values: [0, 1] }],
      attributes: { axis: 'class', size: 1 },
    },
    { name: 'empty', inputs: [{ dtype: 'int32', shape: [0], values: [] }], attributes: { axis: 'class', size: 3 } },
  ],
});

/**
 * Rows of zeros with a 1 at each index; an index outside 0 to `size - 1` gives a row of zeros.
 *
 * @param axis Name of the new last axis.
 */
export function oneHot<A extends Axes, const Name extends string>(
  indices: Symbolic<'int32', A>,
  axis: Name,
  size: Size,
): Float<readonly [...A, Name]> {
  return applyOne(oneHotOperator, [indices], { axis, size }) as unknown as Float<readonly [...A, Name]>;
}

import { denseStrides, elements, type DType } from '@user-llm/tensor';
import type { ReferenceArray } from './operator.js';

/** A zeroed array of the reference kernels. */
export function referenceArray(dtype: DType, shape: readonly number[], data?: Float64Array): ReferenceArray {
  return { dtype, shape, data: data ?? new Float64Array(elements(shape)) };
}

/** A number as the dtype holds it: whole numbers of 32 bits wrap around, as every runtime adds and multiplies them. */
export function wrapped(dtype: DType, value: number): number {
  return dtype === 'int32' ? value | 0 : value;
}

/** Strides of an array seen as a larger shape: 0 where it is stretched. */
export function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = denseStrides(from);
  const skipped = to.length - from.length;
  return to.map((_, axis) => (axis < skipped || from[axis - skipped] === 1 ? 0 : strides[axis - skipped]!));
}

/** Calls `visit` with the offset of every index of `shape`, in row-major order, under each of the strides. */
export function forEachOffset(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (position: number, offsets: readonly number[]) => void,
): void {
  const total = elements(shape);
  const index = new Array<number>(shape.length).fill(0);
  const offsets = new Array<number>(strides.length).fill(0);
  for (let position = 0; position < total; position++) {
    visit(position, offsets);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      for (let operand = 0; operand < strides.length; operand++) offsets[operand]! += strides[operand]![axis]!;
      if (index[axis]! < shape[axis]!) break;
      for (let operand = 0; operand < strides.length; operand++) {
        offsets[operand]! -= strides[operand]![axis]! * shape[axis]!;
      }
      index[axis] = 0;
    }
  }
}

/** Applies `f` to every group of elements that lie at the same index once broadcast to `shape`. */
export function mapBroadcast(
  dtype: DType,
  shape: readonly number[],
  inputs: readonly ReferenceArray[],
  f: (...values: number[]) => number,
): ReferenceArray {
  const output = referenceArray(dtype, shape);
  const strides = inputs.map((input) => broadcastStrides(input.shape, shape));
  forEachOffset(shape, strides, (position, offsets) => {
    output.data[position] = f(...inputs.map((input, operand) => input.data[offsets[operand]!]!));
  });
  return output;
}

/** A shape seen as `[outer, size, inner]` around one axis. */
export function aroundAxis(shape: readonly number[], axis: number): { outer: number; size: number; inner: number } {
  return { outer: elements(shape.slice(0, axis)), size: shape[axis]!, inner: elements(shape.slice(axis + 1)) };
}

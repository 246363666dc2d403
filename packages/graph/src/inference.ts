import { isFloat, UserLlmError, type Axes, type DType } from '@user-llm/tensor';
import { sameSize, type Size } from './size.js';
import type { TensorType } from './symbolic.js';

/** Short text of a type for messages: `float32[batch=64, event=50]`. */
export function typeText({ dtype, axes, shape }: TensorType): string {
  return `${dtype}[${axes.map((axis, index) => `${axis}=${shape[index]}`).join(', ')}]`;
}

/** The error for tensors that do not fit together. */
export function mismatch(what: string, expected: string, types: readonly TensorType[], mend?: string): UserLlmError {
  return new UserLlmError('shape-mismatch', {
    what,
    expected,
    got: types.map(typeText).join(' and '),
    ...(mend === undefined ? {} : { mend }),
  });
}

/** Throws unless `dtype` is one of real numbers. */
export function requireFloat(what: string, ...types: readonly TensorType[]): void {
  const wrong = types.find(({ dtype }) => !isFloat(dtype));
  if (wrong) {
    throw new UserLlmError('dtype-mismatch', {
      what,
      expected: 'real numbers',
      got: typeText(wrong),
      mend: "Convert with cast(x, 'float32').",
    });
  }
}

/** Throws unless `type` has the dtype. */
export function requireDType(what: string, dtype: DType, ...types: readonly TensorType[]): void {
  const wrong = types.find((type) => type.dtype !== dtype);
  if (wrong) {
    throw new UserLlmError('dtype-mismatch', {
      what,
      expected: dtype,
      got: typeText(wrong),
      mend: `Convert with cast(x, '${dtype}').`,
    });
  }
}

/** Throws unless all types have one dtype. */
export function requireSameDType(what: string, types: readonly TensorType[]): void {
  if (types.some(({ dtype }) => dtype !== types[0]!.dtype)) {
    throw new UserLlmError('dtype-mismatch', {
      what,
      expected: 'one dtype',
      got: types.map(typeText).join(' and '),
      mend: 'Convert with cast.',
    });
  }
}

/** Throws unless `axis` counts an axis of the type. */
export function requireAxis(what: string, type: TensorType, axis: number): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= type.axes.length) {
    throw new UserLlmError('axis-mismatch', {
      what,
      expected: `an axis from 0 to ${type.axes.length - 1}`,
      got: `${axis} of ${typeText(type)}`,
    });
  }
}

/**
 * The position of a named axis.
 *
 * @throws UserLlmError `axis-mismatch` when there is no such axis.
 */
export function axisIndex(what: string, type: TensorType, axis: string): number {
  const index = type.axes.indexOf(axis);
  if (index < 0) {
    throw new UserLlmError('axis-mismatch', {
      what,
      expected: `an axis of ${typeText(type)}`,
      got: JSON.stringify(axis),
      mend: 'Use one of its axis names, or rename the axis first.',
    });
  }
  return index;
}

/** Shape and axis names of tensors broadcast together from the right, a size of 1 stretching to any other. */
export function broadcastTypes(what: string, types: readonly TensorType[]): { axes: Axes; shape: Size[] } {
  const rank = Math.max(...types.map(({ shape }) => shape.length));
  const widest = types.find(({ shape }) => shape.length === rank)!;
  const axes = [...widest.axes];
  const shape = new Array<Size>(rank).fill(1);
  for (const type of types) {
    const skipped = rank - type.shape.length;
    type.shape.forEach((size, axis) => {
      const sofar = shape[axis + skipped]!;
      if (sameSize(size, 1)) return;
      if (!sameSize(sofar, 1) && !sameSize(sofar, size)) {
        throw mismatch(what, 'sizes that are equal or 1, from the last axis to the first', types);
      }
      shape[axis + skipped] = size;
    });
  }
  return { axes, shape };
}

import { UserLlmError } from './errors.js';

/** Number of elements of a shape. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Strides, in elements, of a densely packed row-major tensor. */
export function denseStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Where a tensor's elements lie in its typed array. */
export interface Layout {
  /** Elements to step per axis, which may be zero or negative; row-major and dense when absent. */
  readonly strides?: readonly number[];
  /** Index of the first element; 0 when absent. */
  readonly offset?: number;
}

/** A layout with nothing left to default, and the sizes that go with it. */
export interface Placement {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Whether elements lie one after the other in row-major order, wherever they start. */
export function isDense({ shape, strides }: Placement): boolean {
  const dense = denseStrides(shape);
  return shape.includes(0) || shape.every((size, axis) => size === 1 || strides[axis] === dense[axis]);
}

/** The lowest and the highest index that a placement with at least one element reaches. */
export function reach({ shape, strides, offset }: Placement): { lowest: number; highest: number } {
  let lowest = offset;
  let highest = offset;
  for (const [axis, stride] of strides.entries()) {
    const span = stride * (shape[axis]! - 1);
    lowest += Math.min(0, span);
    highest += Math.max(0, span);
  }
  return { lowest, highest };
}

/**
 * Checks that every index of a placement is inside an array.
 *
 * @throws UserLlmError `bad-layout` when strides or offset are not whole numbers, do not fit the shape, or reach
 * before or beyond the array.
 */
export function checkPlacement(what: string, placement: Placement, length: number): void {
  const { shape, strides, offset } = placement;
  const whole = strides.every(Number.isSafeInteger) && Number.isSafeInteger(offset) && offset >= 0;
  const { lowest, highest } = elements(shape) === 0 ? { lowest: 0, highest: offset - 1 } : reach(placement);
  if (strides.length !== shape.length || !whole || lowest < 0 || highest >= length) {
    throw new UserLlmError('bad-layout', {
      what,
      expected: `a view of indices 0 to ${length - 1}, with one whole stride for each of ${shape.length} axes`,
      got: `shape [${shape.join(', ')}], strides [${strides.join(', ')}], offset ${offset}: ${lowest} to ${highest}`,
      mend: 'Correct the strides and the offset, or give the whole array.',
    });
  }
}

/** Indices of the rows, along the last axis, of a placement in row-major order; one row where there are no axes. */
export function* rowStarts({ shape, strides, offset }: Placement): Generator<number> {
  if (shape.includes(0)) {
    return;
  }
  const outer = Math.max(0, shape.length - 1);
  const counter = new Array<number>(outer).fill(0);
  let start = offset;
  for (;;) {
    yield start;
    let axis = outer - 1;
    for (; axis >= 0; axis--) {
      start += strides[axis]!;
      if (++counter[axis]! < shape[axis]!) {
        break;
      }
      start -= strides[axis]! * shape[axis]!;
      counter[axis] = 0;
    }
    if (axis < 0) {
      return;
    }
  }
}

import type { Axes } from './axes.js';
import { UserLlmError } from './errors.js';
import { elements } from './layout.js';

interface Shaped {
  readonly axes: Axes;
  readonly shape: readonly number[];
}

/** Whether a shape is a list of whole numbers from 0 up, of fewer than 2^53 elements. */
export function isShape(shape: unknown): boolean {
  return (
    Array.isArray(shape) &&
    shape.every((size) => Number.isSafeInteger(size) && (size as number) >= 0) &&
    Number.isSafeInteger(elements(shape as number[]))
  );
}

/**
 * Checks that axes and sizes go together.
 *
 * @throws UserLlmError `bad-shape` when they do not, a name comes twice, or there would be more than 2^53 elements.
 */
export function checkAxes(axes: Axes, shape: readonly number[]): void {
  const lists = Array.isArray(axes) && Array.isArray(shape);
  if (!lists || axes.length !== shape.length || new Set(axes).size !== axes.length) {
    throw new UserLlmError('bad-shape', {
      what: 'tensor',
      expected: 'one distinct axis name per size',
      got: `axes ${JSON.stringify(axes)} and shape ${JSON.stringify(shape)}`,
      mend: 'Name every axis once; use a second name such as eventKey where the same thing occurs twice.',
    });
  }
  if (!isShape(shape)) {
    throw new UserLlmError('bad-shape', {
      what: `tensor [${axes.join(', ')}]`,
      expected: 'sizes that are whole numbers from 0 up, and fewer than 2^53 elements',
      got: `[${shape.join(', ')}]`,
    });
  }
}

/**
 * The position of an axis.
 *
 * @throws UserLlmError `unknown-axis` when there is none of that name.
 */
export function axisOf(what: string, { axes }: Shaped, axis: string): number {
  const at = axes.indexOf(axis);
  if (at < 0) {
    throw new UserLlmError('unknown-axis', { what, expected: `one of [${axes.join(', ')}]`, got: axis });
  }
  return at;
}

/**
 * Checks an index or a bound on an axis.
 *
 * @throws UserLlmError `out-of-range` when it is not whole, or not from `least` to `most`.
 */
export function checkIndex(what: string, axis: string, index: number, most: number, least = 0): void {
  if (!Number.isSafeInteger(index) || index < least || index > most) {
    throw new UserLlmError('out-of-range', {
      what: `${what} on axis ${axis}`,
      expected: most < least ? 'an axis that is not empty' : `a whole number from ${least} to ${most}`,
      got: String(index),
    });
  }
}

/** The error of axes that are not those of the tensor. */
export function wrongAxes(what: string, axes: Axes, got: readonly string[]): UserLlmError {
  return new UserLlmError('bad-shape', {
    what,
    expected: `one for each of [${axes.join(', ')}]`,
    got: `[${got.join(', ')}]`,
  });
}

/**
 * A shape with its one -1 replaced by what is left.
 *
 * @throws UserLlmError `bad-shape` when nothing whole is left, or the number of elements is another.
 */
export function inferSize(from: Shaped, shape: readonly number[]): readonly number[] {
  const size = elements(from.shape);
  const open = shape.indexOf(-1);
  const inferred = open < 0 ? shape : shape.with(open, size / elements(shape.toSpliced(open, 1)));
  if (elements(inferred) !== size || !inferred.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    throw new UserLlmError('bad-shape', {
      what: `reshape of [${from.axes.join(', ')}]`,
      expected: `${size} elements, as in [${from.shape.join(', ')}]`,
      got: `[${shape.join(', ')}]`,
      mend: 'Correct the sizes; one of them may be -1.',
    });
  }
  return inferred;
}

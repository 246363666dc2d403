import { decodeElement } from './element.js';
import { UserLlmError } from './errors.js';
import type { Tensor } from './tensor.js';

/**
 * Whether two tensors have the same dtype, axes, sizes and elements. NaN equals NaN, 0 and -0 differ: this is
 * for "bit for bit".
 */
export function equal(left: Tensor, right: Tensor): boolean {
  if (left.dtype !== right.dtype || !sameShape(left, right)) {
    return false;
  }
  const theirs = right.contiguous().data;
  return left.contiguous().data.every((stored: number | bigint, index: number) => Object.is(stored, theirs[index]));
}

/**
 * The largest absolute difference between elements of two tensors of the same axes and sizes; dtypes may differ. It
 * is 0 where both are NaN or the same infinity, and infinite where only one of them is.
 *
 * @throws UserLlmError `shape-mismatch` when axes or sizes differ.
 */
export function maxDifference(left: Tensor, right: Tensor): number {
  if (!sameShape(left, right)) {
    throw new UserLlmError('shape-mismatch', {
      what: 'maxDifference',
      expected: `[${left.axes.join(', ')}] of [${left.shape.join(', ')}]`,
      got: `[${right.axes.join(', ')}] of [${right.shape.join(', ')}]`,
    });
  }
  const ours = left.contiguous().data;
  const theirs = right.contiguous().data;
  let largest = 0;
  for (let index = 0; index < ours.length; index++) {
    largest = Math.max(
      largest,
      difference(decodeElement(left.dtype, ours[index]!), decodeElement(right.dtype, theirs[index]!)),
    );
  }
  return largest;
}

function difference(left: number | bigint | boolean, right: number | bigint | boolean): number {
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    return Math.abs(Number(left - right));
  }
  const [a, b] = [Number(left), Number(right)];
  if (Object.is(a, b)) {
    return 0;
  }
  const between = Math.abs(a - b);
  return Number.isNaN(between) ? Infinity : between;
}

function sameShape(left: Tensor, right: Tensor): boolean {
  return (
    left.axes.length === right.axes.length &&
    left.axes.every((axis, index) => axis === right.axes[index] && left.shape[index] === right.shape[index])
  );
}

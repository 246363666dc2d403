import type { Axes } from './axes.js';
import { allocate, type BaseDType, type DType, type Id, type TypedArray, type TypedArrayOf } from './dtype.js';
import { encodeElement, type ElementInput } from './element.js';
import { UserLlmError } from './errors.js';
import { elements } from './layout.js';
import { Tensor, type Nested } from './tensor.js';

/**
 * A tensor of zeros.
 *
 * @throws UserLlmError `bad-shape` when axes and shape do not go together.
 */
export function zeros<D extends DType, const A extends Axes>(
  dtype: D,
  axes: A,
  shape: readonly number[],
): Tensor<D, A> {
  return new Tensor(dtype, axes, shape);
}

/**
 * A tensor of one value.
 *
 * @throws UserLlmError `bad-shape`, or `out-of-range` when the dtype cannot hold the value.
 */
export function full<D extends DType, const A extends Axes>(
  dtype: D,
  axes: A,
  shape: readonly number[],
  value: ElementInput<D>,
): Tensor<D, A> {
  const filled = new Tensor(dtype, axes, shape);
  (filled.data as { fill(value: number | bigint): unknown }).fill(encodeElement(dtype, value));
  return filled;
}

/** A tensor with no axes and one element. */
export function scalar<D extends DType>(dtype: D, value: ElementInput<D>): Tensor<D, readonly []> {
  return full(dtype, [], [], value);
}

/**
 * A tensor of arrays in arrays, one level per axis, whose lengths are its sizes.
 *
 * @example
 * const ratings = tensor('float32', ['user', 'item'], [[5, 3], [4, 1]]);
 * @throws UserLlmError `bad-shape` when the levels are not as many as the axes or of differing lengths,
 * `out-of-range` when the dtype cannot hold a value.
 */
export function tensor<D extends BaseDType, const A extends Axes>(
  dtype: D,
  axes: A,
  nested: Nested<ElementInput<D>>,
): Tensor<D, A> {
  return build(dtype, axes, nested);
}

/**
 * A tensor of ids that index one kind of thing; the compiler keeps it from being used for another.
 *
 * @example
 * const history = ids('item', ['batch', 'event'], [[12, 7], [3, 0]]); // Tensor<Id<'item'>, ...>
 * @param of What is indexed, such as `'item'`.
 * @throws UserLlmError `bad-shape` as for `tensor`, `out-of-range` for what is not a whole number from 0 to 2^31 - 1.
 */
export function ids<const Of extends string, const A extends Axes>(
  of: Of,
  axes: A,
  nested: Nested<number>,
): Tensor<Id<Of>, A> {
  const built = build('int32' as Id<Of>, axes, nested);
  const negative = built.toArray().find((id) => (id as number) < 0);
  if (negative !== undefined) {
    throw new UserLlmError('out-of-range', { what: `${of} ids`, expected: 'from 0 up', got: String(negative) });
  }
  return built;
}

type Value = number | bigint | boolean;

function build<D extends DType, A extends Axes>(dtype: D, axes: A, nested: Nested<Value>): Tensor<D, A> {
  const shape: number[] = [];
  for (let level: Nested<Value> | undefined = nested; shape.length < axes.length; level = level[0]) {
    if (!Array.isArray(level)) {
      // Below an empty axis every size is 0; anywhere else there is a level too few.
      shape.push(level === undefined && shape.includes(0) ? 0 : Number.NaN);
      level = [];
    } else {
      shape.push(level.length);
    }
  }
  const data: TypedArray = shape.some(Number.isNaN) ? new Uint8Array(0) : allocate(dtype, elements(shape));
  const target = data as Record<number, number | bigint>;
  let at = 0;
  const fill = (value: Nested<Value>, axis: number): void => {
    if (axis === axes.length && !Array.isArray(value)) {
      target[at++] = encodeElement(dtype, value as Value);
    } else if (Array.isArray(value) && value.length === shape[axis]) {
      for (const inner of value) {
        fill(inner, axis + 1);
      }
    } else {
      throw new UserLlmError('bad-shape', {
        what: `tensor [${axes.join(', ')}]`,
        expected: `${axes.length} levels of arrays, of one length at each level`,
        got: Array.isArray(value) ? `${value.length} at level ${axis + 1}` : `a value at level ${axis + 1}`,
      });
    }
  };
  fill(nested, 0);
  return new Tensor(dtype, axes, shape, data as TypedArrayOf<D>);
}

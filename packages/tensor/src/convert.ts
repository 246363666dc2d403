import { allocate, type DType, type TypedArray, type TypedArrayOf } from './dtype.js';
import { encodeElement, integerRange, outOfRange } from './element.js';
import { decodeBfloat16Array, decodeFloat16Array } from './half-precision.js';

/**
 * The elements of an array as another dtype, in an array of their own.
 *
 * To floats: rounded to nearest, ties to even (`int64` by way of float64). To integers: cut towards zero. To `bool`:
 * 0 where it is zero, else 1 (also for NaN).
 *
 * @throws UserLlmError `out-of-range` for a value that an integer dtype cannot hold, NaN included.
 */
export function convert<D extends DType>(from: DType, data: TypedArray, to: D): TypedArrayOf<D> {
  const source = readable(from, data);
  const target: TypedArray = allocate(to, source.length);
  if ((target instanceof Float32Array || target instanceof Float64Array) && !(source instanceof BigInt64Array)) {
    target.set(source);
  } else if (target instanceof BigInt64Array) {
    for (let index = 0; index < target.length; index++) {
      const value = source[index]!;
      target[index] = encodeElement(to, typeof value === 'number' ? truncated(to, value) : value) as bigint;
    }
  } else {
    const cut = integerRange[to as keyof typeof integerRange] !== undefined;
    for (let index = 0; index < target.length; index++) {
      const value = source[index]!;
      target[index] = encodeElement(to, cut && typeof value === 'number' ? truncated(to, value) : value) as number;
    }
  }
  return target as TypedArrayOf<D>;
}

/** The same numbers in an array that JavaScript can read as such. */
function readable(dtype: DType, data: TypedArray): Exclude<TypedArray, Uint16Array> {
  if (data instanceof Uint16Array) {
    return dtype === 'float16' ? decodeFloat16Array(data) : decodeBfloat16Array(data);
  }
  return data;
}

function truncated(dtype: DType, value: number): number {
  if (!Number.isFinite(value)) {
    throw outOfRange(dtype, value);
  }
  return Math.trunc(value);
}

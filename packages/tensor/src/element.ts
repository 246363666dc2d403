import type { BaseDType, DType } from './dtype.js';
import { UserLlmError } from './errors.js';
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from './half-precision.js';

/** What one element of a dtype is in JavaScript: a bigint for `int64`, a boolean for `bool`, else a number. */
export type ElementOf<D extends DType> = D extends 'int64' ? bigint : D extends 'bool' ? boolean : number;

/** What an element can be made of; `int64` also takes whole numbers. */
export type ElementInput<D extends DType> = D extends 'int64' ? bigint | number : ElementOf<D>;

/** The JavaScript value of a stored element. */
export function decodeElement<D extends DType>(dtype: D, stored: number | bigint): ElementOf<D>;
export function decodeElement(dtype: DType, stored: number | bigint): number | bigint | boolean {
  switch (dtype) {
    case 'float16':
      return decodeFloat16(Number(stored));
    case 'bfloat16':
      return decodeBfloat16(Number(stored));
    case 'bool':
      return stored !== 0;
    default:
      return stored;
  }
}

/** What each integer dtype can hold, both ends included. */
export const integerRange: Readonly<Partial<Record<BaseDType, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

/**
 * What is stored for a JavaScript value; floats are rounded to the nearest, ties to even.
 *
 * @throws UserLlmError `out-of-range` for a value that an integer dtype cannot hold, fractions included.
 */
export function encodeElement(dtype: DType, value: number | bigint | boolean): number | bigint {
  switch (dtype as BaseDType) {
    case 'float32':
    case 'float64':
      return Number(value);
    case 'float16':
      return encodeFloat16(Number(value));
    case 'bfloat16':
      return encodeBfloat16(Number(value));
    case 'bool':
      return Number(value) === 0 ? 0 : 1;
    case 'int64':
      return encodeInt64(value);
    default: {
      const number = Number(value);
      const [least, most] = integerRange[dtype as BaseDType]!;
      if (!Number.isInteger(number) || number < least || number > most) {
        throw outOfRange(dtype, value);
      }
      return number;
    }
  }
}

function encodeInt64(value: number | bigint | boolean): bigint {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    throw outOfRange('int64', value);
  }
  const whole = BigInt(value);
  if (BigInt.asIntN(64, whole) !== whole) {
    throw outOfRange('int64', value);
  }
  return whole;
}

/** The error of a value that a dtype cannot hold. */
export function outOfRange(dtype: DType, value: number | bigint | boolean): UserLlmError {
  const range = integerRange[dtype as BaseDType] ?? ['-2^63', '2^63 - 1'];
  return new UserLlmError('out-of-range', {
    what: `${dtype} element`,
    expected: `a whole number from ${range[0]} to ${range[1]}`,
    got: String(value),
    mend: 'Round or clip the values first, or use a wider dtype.',
  });
}

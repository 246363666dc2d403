import { UserLlmError } from './errors.js';

declare const idOf: unique symbol;

/**
 * The dtype of ids that index one kind of thing: `Id<'item'>` is `int32` at run time, but the compiler keeps
 * item ids and genre ids apart.
 */
export type Id<Of extends string> = 'int32' & { readonly [idOf]: Of };

/** The element types a tensor can have. `float16` and `bfloat16` are for storage: they are held as raw 16-bit words. */
export type BaseDType = 'float32' | 'float64' | 'float16' | 'bfloat16' | 'int8' | 'int32' | 'int64' | 'uint8' | 'bool';

/** Any element type, branded ids included. */
export type DType = BaseDType | Id<string>;

/** The dtypes that hold real numbers. */
export type FloatDType = 'float32' | 'float64' | 'float16' | 'bfloat16';

/** The typed array that holds the elements of a dtype; `float16`/`bfloat16` are raw bits, `bool` is 0 or 1. */
export type TypedArrayOf<D extends DType> = D extends 'float32'
  ? Float32Array
  : D extends 'float64'
    ? Float64Array
    : D extends 'float16' | 'bfloat16'
      ? Uint16Array
      : D extends 'int8'
        ? Int8Array
        : D extends 'int64'
          ? BigInt64Array
          : D extends 'uint8' | 'bool'
            ? Uint8Array
            : Int32Array;

/** Any typed array a tensor can hold. */
export type TypedArray = TypedArrayOf<BaseDType>;

type TypedArrayConstructor = {
  new (length: number): TypedArray;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray;
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
};

const constructors: Readonly<Record<BaseDType, TypedArrayConstructor>> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** All dtypes, in a fixed order. */
export const dtypes = Object.keys(constructors) as readonly BaseDType[];

/**
 * Bytes that one element of a dtype takes.
 *
 * @throws UserLlmError `unknown-dtype` when there is no such dtype.
 */
export function bytesPerElement(dtype: DType): number {
  return constructorOf(dtype).BYTES_PER_ELEMENT;
}

/** Name of the typed array that holds a dtype, as its `Symbol.toStringTag` says, also for arrays of other realms. */
export function typedArrayName(dtype: DType): string {
  return constructorOf(dtype).name;
}

/** Whether a dtype holds real numbers, so that gradients flow through it. */
export function isFloat(dtype: DType): dtype is FloatDType {
  return dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16';
}

/** Whether a string names a dtype. */
export function isDType(name: string): name is BaseDType {
  return Object.hasOwn(constructors, name);
}

/**
 * A zeroed typed array for `length` elements of a dtype.
 *
 * @throws UserLlmError `unknown-dtype` when there is no such dtype, `too-large` when there is no memory for it.
 */
export function allocate<D extends DType>(dtype: D, length: number): TypedArrayOf<D> {
  const constructor = constructorOf(dtype);
  try {
    return new constructor(length) as TypedArrayOf<D>;
  } catch (cause) {
    throw new UserLlmError('too-large', {
      what: `${length} elements of ${dtype}`,
      expected: `${length * constructor.BYTES_PER_ELEMENT} bytes of memory in one piece`,
      got: cause instanceof Error ? cause.message : String(cause),
      mend: 'Free memory, use a machine with more, or work in parts.',
      cause,
    });
  }
}

/**
 * A typed array over existing bytes, without a copy.
 *
 * @throws UserLlmError `misaligned` when `byteOffset` is not a multiple of the element size, `out-of-range` when the
 * bytes end before, `unknown-dtype` when there is no such dtype.
 */
export function viewBytes<D extends DType>(
  dtype: D,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): TypedArrayOf<D> {
  const constructor = constructorOf(dtype);
  const size = constructor.BYTES_PER_ELEMENT;
  if (byteOffset % size !== 0) {
    throw new UserLlmError('misaligned', {
      what: `view of ${dtype}`,
      expected: `a byte offset that is a multiple of ${size}`,
      got: `${byteOffset}`,
      mend: 'Copy the bytes into a buffer of their own first.',
    });
  }
  if (byteOffset < 0 || length < 0 || byteOffset + length * size > buffer.byteLength) {
    throw new UserLlmError('out-of-range', {
      what: `view of ${length} elements of ${dtype} from byte ${byteOffset}`,
      expected: `to stay within ${buffer.byteLength} bytes`,
      got: `${byteOffset + length * size}`,
    });
  }
  return new constructor(buffer, byteOffset, length) as TypedArrayOf<D>;
}

function constructorOf(dtype: DType): TypedArrayConstructor {
  if (!isDType(dtype)) {
    throw new UserLlmError('unknown-dtype', {
      what: 'dtype',
      expected: `one of ${dtypes.join(', ')}`,
      got: String(dtype),
    });
  }
  return constructors[dtype as BaseDType];
}

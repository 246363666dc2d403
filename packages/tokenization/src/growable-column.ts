type Numbers = Int32Array | Float64Array;

/** A typed array that grows as rows are added, in shared memory. */
export class GrowableColumn<T extends Numbers> {
  #data: T;
  readonly #make: (length: number) => T;

  constructor(make: (length: number) => T, capacity = 1024) {
    this.#make = make;
    this.#data = make(capacity);
  }

  /** The array, with room for at least `length` elements; it moves when it grows. */
  room(length: number): T {
    if (length > this.#data.length) {
      const larger = this.#make(Math.max(length, 2 * this.#data.length));
      larger.set(this.#data);
      this.#data = larger;
    }
    return this.#data;
  }
}

/** Zeroed ids in shared memory. */
export function sharedInt32(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}

/** Zeroed numbers in shared memory. */
export function sharedFloat64(length: number): Float64Array {
  return new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));
}

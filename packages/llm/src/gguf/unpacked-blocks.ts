import { decodeFloat16 } from '@user-llm/tensor';

/** Blocks of a tensor taken apart: a number is `scale * (code - zero) + minimum`. */
export interface UnpackedBlocks {
  /** One per number. */
  readonly codes: Uint8Array;
  /** One per block. */
  readonly scales: Float32Array;
  /** One per block; zero where the kind has none. */
  readonly minimums: Float32Array;
}

/** All binary16 numbers by their bits. */
let halves: Float32Array | undefined;

/** A binary16 number at a byte of a file. */
export function halfAt(bytes: Uint8Array, at: number): number {
  halves ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => decodeFloat16(bits));
  return halves[bytes[at]! | (bytes[at + 1]! << 8)]!;
}

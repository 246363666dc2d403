import { decodeFloat16 } from '@user-llm/tensor';

/** Blocks of a tensor taken apart: a number is `scale * (code - zero) + minimum`. */
export interface UnpackedBlocks {
  /** One per number. */
  readonly codes: Uint8Array;
  /** One per block. */
  readonly scales: Float32Array;
  /** One per block, where the kind has them. */
  readonly minimums?: Float32Array;
}

/** A binary16 number at a byte of a file. */
export function halfAt(bytes: Uint8Array, at: number): number {
  return decodeFloat16(bytes[at]! | (bytes[at + 1]! << 8));
}

import { unpackQ4K, unpackQ6K } from './k-quants.js';
import { halfAt, type UnpackedBlocks } from './unpacked-blocks.js';

/** Numbers as they are. */
interface PlainKind {
  readonly name: string;
  readonly dtype: 'float32' | 'float16' | 'bfloat16';
  /** Numbers in one unit of storage, and its bytes. */
  readonly elements: 1;
  readonly bytes: number;
}

/** Numbers in blocks of few bits. */
export interface BlockKind {
  readonly name: string;
  readonly elements: 32 | 256;
  readonly bytes: number;
  /** Bits of a code, and numbers that share a scale. */
  readonly bits: 4 | 8;
  readonly block: 16 | 32;
  /** The code that stands for 0 before the minimum is added. */
  readonly zero: number;
  /** Whether a number may be `scale * (code - zero)` and more. */
  readonly minimums?: true;
  /** Takes whole units apart; what the kind does not have is left as it is. */
  unpack(bytes: Uint8Array, into: UnpackedBlocks): void;
}

/** How the numbers of a tensor are stored in a GGUF file. */
export type TensorKind = PlainKind | BlockKind;

/** The kinds that are read, by their numbers in the file (ggml.h). */
export const tensorKinds: ReadonlyMap<number, TensorKind> = new Map<number, TensorKind>([
  [0, { name: 'F32', dtype: 'float32', elements: 1, bytes: 4 }],
  [1, { name: 'F16', dtype: 'float16', elements: 1, bytes: 2 }],
  [2, { name: 'Q4_0', elements: 32, bytes: 18, bits: 4, block: 32, zero: 8, unpack: unpackQ40 }],
  [3, { name: 'Q4_1', elements: 32, bytes: 20, bits: 4, block: 32, zero: 0, minimums: true, unpack: unpackQ41 }],
  [6, { name: 'Q5_0', elements: 32, bytes: 22, bits: 8, block: 32, zero: 16, unpack: unpackQ50 }],
  [8, { name: 'Q8_0', elements: 32, bytes: 34, bits: 8, block: 32, zero: 128, unpack: unpackQ80 }],
  [12, { name: 'Q4_K', elements: 256, bytes: 144, bits: 4, block: 32, zero: 0, minimums: true, unpack: unpackQ4K }],
  [14, { name: 'Q6_K', elements: 256, bytes: 210, bits: 8, block: 16, zero: 32, unpack: unpackQ6K }],
  [30, { name: 'BF16', dtype: 'bfloat16', elements: 1, bytes: 2 }],
]);

/** Blocks whose first 16 numbers are the lower halves of 16 bytes, and whose others are the upper ones. */
function halves(bytes: Uint8Array, stride: number, start: number, { codes, scales }: UnpackedBlocks): void {
  const count = bytes.length / stride;
  for (let own = 0; own < count; own++) {
    const [from, to] = [own * stride, own * 32];
    scales[own] = halfAt(bytes, from);
    for (let at = 0; at < 16; at++) {
      const byte = bytes[from + start + at]!;
      codes[to + at] = byte & 15;
      codes[to + at + 16] = byte >> 4;
    }
  }
}

function unpackQ40(bytes: Uint8Array, into: UnpackedBlocks): void {
  halves(bytes, 18, 2, into);
}

function unpackQ41(bytes: Uint8Array, into: UnpackedBlocks): void {
  halves(bytes, 20, 4, into);
  for (let own = 0; 20 * own < bytes.length; own++) into.minimums[own] = halfAt(bytes, own * 20 + 2);
}

/** Five bits: four as above, the fifth of all numbers in four bytes before them. */
function unpackQ50(bytes: Uint8Array, into: UnpackedBlocks): void {
  halves(bytes, 22, 6, into);
  const { codes } = into;
  for (let at = 0, count = (bytes.length / 22) * 32; at < count; at++) {
    const number = at % 32;
    const fifth = bytes[(at >> 5) * 22 + 2 + (number >> 3)]! >> (number & 7);
    codes[at] = codes[at]! | ((fifth & 1) << 4);
  }
}

function unpackQ80(bytes: Uint8Array, { codes, scales }: UnpackedBlocks): void {
  const count = bytes.length / 34;
  for (let own = 0; own < count; own++) {
    scales[own] = halfAt(bytes, own * 34);
    // Bytes with a sign become those without: 128 more.
    for (let at = 0; at < 32; at++) codes[own * 32 + at] = bytes[own * 34 + 2 + at]! ^ 128;
  }
}

import type { QuantizedFormat } from '@user-llm/graph';
import { Tensor, UserLlmError } from '@user-llm/tensor';

// N rows, G blocks per row, Y bytes per block.

/** A matrix of 4- or 8-bit numbers, as the graph's products read it. */
export class QuantizedMatrix implements QuantizedFormat {
  readonly bits: 4 | 8;
  readonly block: 16 | 32;
  /** `[N, G, Y]`: a byte per number, or two numbers per byte, the lower half first. */
  readonly codes: Tensor<'uint8', readonly ['row', 'block', 'byte']>;
  /** `[N, G]`: a number is `scale * (code - 8) + offset`, of 8 bits `scale * (code - 128) + offset`. */
  readonly scales: Tensor<'float32', readonly ['row', 'block']>;
  /** `[N, G]`: zero where there are none. */
  readonly offsets: Tensor<'float32', readonly ['row', 'block']> | undefined;

  /**
   * @param rows `N`, the number of outputs of products.
   * @throws UserLlmError `bad-shape` when codes, scales and offsets do not go together.
   */
  constructor(format: QuantizedFormat, rows: number, codes: Uint8Array, scales: Float32Array, offsets?: Float32Array) {
    const bytes = (format.block * format.bits) / 8;
    const blocks = scales.length / rows;
    if (!Number.isInteger(blocks) || codes.length !== scales.length * bytes)
      throw new UserLlmError('bad-shape', {
        what: 'quantized matrix',
        expected: `${rows} rows of blocks, each with ${bytes} bytes and one scale`,
        got: `${codes.length} bytes and ${scales.length} scales`,
      });
    this.bits = format.bits;
    this.block = format.block;
    this.codes = new Tensor('uint8', ['row', 'block', 'byte'], [rows, blocks, bytes], codes);
    this.scales = new Tensor('float32', ['row', 'block'], [rows, blocks], scales);
    this.offsets = offsets && new Tensor('float32', ['row', 'block'], [rows, blocks], offsets);
  }

  /** Shape of the matrix in real numbers. */
  get shape(): readonly [number, number] {
    const [rows, blocks] = this.scales.shape as readonly [number, number];
    return [rows, blocks * this.block];
  }

  /** Bytes of codes, scales and offsets. */
  get byteLength(): number {
    return this.codes.data.byteLength + this.scales.data.byteLength + (this.offsets?.data.byteLength ?? 0);
  }

  /** Some of the rows, in this order. */
  rows(chosen: readonly number[]): QuantizedMatrix {
    const of = <T extends Uint8Array | Float32Array>(data: T, width: number): T => {
      const taken = new (data.constructor as new (length: number) => T)(chosen.length * width);
      chosen.forEach((row, at) => taken.set(data.subarray(row * width, (row + 1) * width), at * width));
      return taken;
    };
    const [, blocks, bytes] = this.codes.shape as readonly [number, number, number];
    const offsets = this.offsets && of(this.offsets.data, blocks);
    const codes = of(this.codes.data, blocks * bytes);
    return new QuantizedMatrix(this, chosen.length, codes, of(this.scales.data, blocks), offsets);
  }

  /** The rows from one up to another, in the same memory. */
  sliced(from: number, to: number): QuantizedMatrix {
    const [, blocks, bytes] = this.codes.shape as readonly [number, number, number];
    const of = <T extends Uint8Array | Float32Array>(data: T, width: number): T =>
      data.subarray(from * width, to * width) as T;
    const offsets = this.offsets && of(this.offsets.data, blocks);
    return new QuantizedMatrix(
      this,
      to - from,
      of(this.codes.data, blocks * bytes),
      of(this.scales.data, blocks),
      offsets,
    );
  }

  /** The matrix in real numbers, under axes of these names. */
  dequantize<const A extends readonly [string, string]>(axes: A): Tensor<'float32', A> {
    const { bits, block, codes, scales, offsets } = this;
    const values = new Float32Array(scales.size * block);
    for (let from = 0, own = 0; own < scales.size; own++, from += block) {
      const scale = scales.data[own]!;
      const offset = offsets ? offsets.data[own]! : 0;
      if (bits === 8)
        for (let at = from; at < from + block; at++) values[at] = Math.fround(scale * (codes.data[at]! - 128)) + offset;
      else
        for (let at = from; at < from + block; at += 2) {
          const byte = codes.data[at >> 1]!;
          values[at] = Math.fround(scale * ((byte & 15) - 8)) + offset;
          values[at + 1] = Math.fround(scale * ((byte >> 4) - 8)) + offset;
        }
    }
    return new Tensor('float32', axes, this.shape, values);
  }
}

/** A parameter of a language model: real numbers, or a matrix of few bits. */
export type Weight = Tensor | QuantizedMatrix;

/**
 * Codes of four bits, one per byte, put two in a byte: the first of them in the lower half.
 *
 * @param codes Numbers from 0 to 15, evenly many.
 * @param packed Where they are put; new memory unless told.
 */
export function packHalves(codes: Uint8Array, packed = new Uint8Array(codes.length / 2)): Uint8Array {
  for (let at = 0; 2 * at < codes.length; at++) packed[at] = codes[2 * at]! | (codes[2 * at + 1]! << 4);
  return packed;
}

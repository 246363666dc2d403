import { Tensor } from '@user-llm/tensor';
import type { QuantizedMatrix } from './quantized-matrix.js';

// N rows, K columns.

/** A matrix of 8-bit numbers whose rows have one scale each, as products of many rows read it. */
export interface Int8Matrix {
  /** `[K, N]`, whole numbers from -127 to 127. */
  readonly codes: Tensor<'int8', readonly ['column', 'row']>;
  /** `[N]`: a number of the matrix is `scale * code`. */
  readonly scales: Tensor<'float32', readonly ['row']>;
}

const largestCode = 127;
/** Rows that become columns together, so that what is written side by side lies in one line of the cache. */
const rowsAtOnce = 64;

/** The nearest to a matrix of blocks in 8 bits, the largest number of each row being 127 or -127 times its scale. */
export function int8Matrix(matrix: QuantizedMatrix): Int8Matrix {
  const [rows, width] = matrix.shape;
  const codes = new Int8Array(rows * width);
  const scales = new Float32Array(rows);
  const some = new Int8Array(rowsAtOnce * width);
  for (let first = 0; first < rows; first += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - first);
    const { data } = matrix.sliced(first, first + count).dequantize(['row', 'column']);
    for (let row = 0; row < count; row++) {
      const from = row * width;
      const scale = largestOf(data, from, from + width) / largestCode;
      scales[first + row] = scale;
      const inverse = scale === 0 ? 0 : 1 / scale;
      // `Math.round` of what is never below -127, in a third of its time.
      for (let at = from; at < from + width; at++) some[at] = ((data[at]! * inverse + 128.5) | 0) - 128;
    }
    for (let column = 0; column < width; column++)
      for (let row = 0, to = column * rows + first; row < count; row++, to++) codes[to] = some[row * width + column]!;
  }
  return {
    codes: new Tensor('int8', ['column', 'row'], [width, rows], codes),
    scales: new Tensor('float32', ['row'], [rows], scales),
  };
}

function largestOf(data: Float32Array, from: number, to: number): number {
  let largest = 0;
  for (let at = from; at < to; at++) {
    const size = Math.abs(data[at]!);
    if (size > largest) largest = size;
  }
  return largest;
}

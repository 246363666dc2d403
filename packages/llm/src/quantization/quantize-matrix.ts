import type { Tensor } from '@user-llm/tensor';
import { packHalves, QuantizedMatrix } from './quantized-matrix.js';

/** Numbers that share a scale. */
export const quantizationBlock = 32;

/** Scales that are tried for a block of 4 bits, from those that reach beyond all numbers to those that cut some. */
const trials = 10;

/**
 * A matrix with its numbers rounded to whole multiples of a scale, block by block. Of 4 bits the scale is the one of a
 * few with the least squared error; of 8 bits the one that reaches the largest number.
 *
 * @param matrix `[N, K]`, where K, which products sum over, is a multiple of 32.
 */
export function quantizeMatrix(matrix: Tensor<'float32'>, bits: 4 | 8): QuantizedMatrix {
  const { data, shape } = matrix.contiguous();
  const block = quantizationBlock;
  const codes = new Uint8Array(data.length);
  const scales = new Float32Array(data.length / block);
  const middle = 2 ** (bits - 1);
  for (let own = 0; own < scales.length; own++) {
    const from = own * block;
    const extreme = extremeOf(data, from, from + block);
    scales[own] = bits === 8 ? Math.abs(extreme) / (middle - 1) : bestScale(data, from, from + block, extreme, middle);
    const inverse = scales[own] === 0 ? 0 : 1 / scales[own]!;
    for (let at = from; at < from + block; at++) codes[at] = codeOf(data[at]!, inverse, middle);
  }
  return new QuantizedMatrix({ bits, block }, shape[0]!, bits === 8 ? codes : packHalves(codes), scales);
}

/** The code of a value: the nearest multiple of the scale, as far as codes reach. */
function codeOf(value: number, inverse: number, middle: number): number {
  const code = Math.floor(value * inverse + 0.5) + middle;
  return code < 0 ? 0 : code > 2 * middle - 1 ? 2 * middle - 1 : code;
}

/** The number of the largest magnitude of those from one place to another. */
function extremeOf(values: Float32Array, from: number, to: number): number {
  let extreme = 0;
  for (let at = from; at < to; at++) if (Math.abs(values[at]!) > Math.abs(extreme)) extreme = values[at]!;
  return extreme;
}

/** The scale, perhaps a negative one, of the least squared error: the extreme becomes the lowest code, or nearly. */
function bestScale(values: Float32Array, from: number, to: number, extreme: number, middle: number): number {
  let best = 0;
  let least = Infinity;
  for (let trial = 0; extreme !== 0 && trial < trials; trial++) {
    const scale = -extreme / (middle + 1 - (3 * trial) / (trials - 1));
    const error = squaredError(values, from, to, scale, middle);
    if (error >= least) continue;
    least = error;
    best = scale;
  }
  return best;
}

function squaredError(values: Float32Array, from: number, to: number, scale: number, middle: number): number {
  const inverse = 1 / scale;
  let sum = 0;
  for (let at = from; at < to; at++) {
    const off = values[at]! - scale * (codeOf(values[at]!, inverse, middle) - middle);
    sum += off * off;
  }
  return sum;
}

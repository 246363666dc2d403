import { mismatch, requireDType } from '../inference.js';
import { onnxDTypeCode } from '../onnx.js';
import { applyOne, defineComposite } from '../operator.js';
import { sameSize, type Size } from '../size.js';
import type { Symbolic } from '../symbolic.js';
import { rawAdd, rawMultiply, rawSubtract } from './arithmetic.js';
import { rawCast } from './cast.js';
import { rawConcat } from './concat.js';
import { floorOperator, scalarLike } from './elementwise.js';
import { rawMatmul } from './matmul.js';
import { rawReshape } from './reshape.js';

// N rows, G blocks per row, S numbers per block, K = G * S, Y bytes per block.

/** How the numbers of a matrix are written as whole ones, block by block of each row. */
export interface QuantizedFormat {
  /** Bits per number. */
  readonly bits: 4 | 8;
  /** Numbers that share a scale. */
  readonly block: 16 | 32;
}

/** Attributes of `quantizedMatmul`. */
export interface QuantizedMatmulAttributes extends QuantizedFormat {
  /** Whether `x` may be rounded to eight bits, block by block, for products of whole numbers. */
  readonly accuracy: 'float32' | 'int8';
}

/** The code that stands for 0. */
const middle = ({ bits }: QuantizedFormat): number => 2 ** (bits - 1);

/**
 * The real numbers that codes stand for: `scale * (code - middle) + offset`, the middle being 8 or 128.
 *
 * @internal
 * @param codes `[..., G, Y]`; of 4 bits the lower half of a byte comes first.
 * @param scales `[..., G]`, and `offsets` the same.
 * @returns `[..., K]`, the axis named `axis`.
 */
export function rawDequantize(
  codes: Symbolic,
  scales: Symbolic,
  offsets: Symbolic | undefined,
  format: QuantizedFormat,
  axis: string,
): Symbolic {
  const blocks = scales.shape.at(-1) as number;
  const inBlocks_GS = unpacked(codes, format);
  const perBlock = (x: Symbolic): Symbolic => rawReshape(x, [...x.axes, 'inBlock'], [...x.shape, 1]);
  const scaled_GS = rawMultiply(rawSubtract(inBlocks_GS, scalarLike(inBlocks_GS, middle(format))), perBlock(scales));
  const values_GS = offsets ? rawAdd(scaled_GS, perBlock(offsets)) : scaled_GS;
  return rawReshape(
    values_GS,
    [...scales.axes.slice(0, -1), axis],
    [...scales.shape.slice(0, -1), blocks * format.block],
  );
}

function unpacked(codes: Symbolic, { bits, block }: QuantizedFormat): Symbolic {
  const bytes = rawCast(codes, 'float32');
  if (bits === 8) return bytes;
  const upper = applyOne(floorOperator, [rawMultiply(bytes, scalarLike(bytes, 1 / 16))], {});
  const lower = rawSubtract(bytes, rawMultiply(upper, scalarLike(upper, 16)));
  const beside = [lower, upper].map((x) => rawReshape(x, [...x.axes, 'half'], [...x.shape, 1]));
  const pairs = rawConcat(beside, codes.shape.length);
  return rawReshape(pairs, codes.axes, [...codes.shape.slice(0, -1), block]);
}

/**
 * A linear map by a matrix of 4- or 8-bit numbers: `x [..., K]`, `codes [N, G, Y]`, `scales [N, G]` to `[..., N]`. Codes
 * are bytes; int32 where a runtime has none.
 */
export const quantizedMatmulOperator = defineComposite<QuantizedMatmulAttributes>({
  name: 'quantizedMatmul',
  infer: ([x, codes, scales], { bits, block }) => {
    const types = [x!, codes!, scales!];
    requireDType('quantizedMatmul', 'float32', x!, scales!);
    if (codes!.dtype !== 'int32') requireDType('quantizedMatmul', 'uint8', codes!);
    const [rows, blocks, bytes] = codes!.shape as readonly [number, number, number];
    const fits =
      codes!.shape.length === 3 &&
      bytes === (block * bits) / 8 &&
      scales!.shape.join() === [rows, blocks].join() &&
      x!.shape.length > 0 &&
      sameSize(x!.shape.at(-1)!, blocks * block);
    if (!fits)
      throw mismatch('quantizedMatmul', `blocks of ${block} numbers, as many as the last axis of x has`, types);
    const shape: readonly Size[] = [...x!.shape.slice(0, -1), rows];
    return [{ dtype: 'float32', axes: [...x!.axes.slice(0, -1), codes!.axes[0]!], shape }];
  },
  decompose: ([x, codes, scales], format) => [
    rawMatmul(x!, rawDequantize(codes!, scales!, undefined, format, x!.axes.at(-1)!), { transposeRight: true }),
  ],
  onnx: (emitter, [x, codes, scales], { attributes: { bits, block, accuracy } }) => {
    const [rows, blocks] = codes!.shape as readonly [number, number];
    const attributes = {
      K: { int: blocks * block },
      N: { int: rows },
      bits: { int: bits },
      block_size: { int: block },
      accuracy_level: { int: accuracy === 'int8' ? 4 : 1 },
    };
    const bytes =
      codes!.dtype === 'uint8'
        ? codes!.name
        : emitter.emit('Cast', [codes!.name], { to: { int: onnxDTypeCode['uint8']! } })[0]!;
    return emitter.emit('MatMulNBits', [x!.name, bytes, scales!.name], attributes, { domain: 'com.microsoft' });
  },
  examples: [
    example('4 bits', 4, 32, [1, 64], 3),
    example('8 bits', 8, 32, [2, 32], 3),
    example('blocks of 16', 8, 16, [2, 32], 2),
    example('batch', 4, 32, [2, 2, 32], 2),
    example('one output', 4, 32, [1, 64], 1),
    example('no rows', 8, 32, [0, 32], 2),
  ],
});

function example(name: string, bits: 4 | 8, block: 16 | 32, x: readonly number[], rows: number) {
  const blocks = x.at(-1)! / block;
  return {
    name,
    inputs: [
      { shape: x },
      { dtype: 'int32', shape: [rows, blocks, (block * bits) / 8], values: { below: 256 } },
      { shape: [rows, blocks] },
    ],
    attributes: { bits, block, accuracy: 'float32' },
  } as const;
}

/** @internal */
export function rawQuantizedMatmul(
  x: Symbolic,
  codes: Symbolic,
  scales: Symbolic,
  attributes: QuantizedMatmulAttributes,
): Symbolic {
  return applyOne(quantizedMatmulOperator, [x, codes, scales], attributes);
}

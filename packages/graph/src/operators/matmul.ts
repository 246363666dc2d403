import { elements, type Axes } from '@user-llm/tensor';
import { bytesOf } from '../cost.js';
import { broadcastTypes, mismatch, requireFloat, requireSameDType } from '../inference.js';
import { applyOne, definePrimitive } from '../operator.js';
import { broadcastStrides, forEachOffset, referenceArray } from '../reference-kernels.js';
import { multiplySizes, sameSize, sizeOfShape, type Size } from '../size.js';
import type { Decided, Float, Symbolic, TensorType } from '../symbolic.js';
import { rawMultiply } from './arithmetic.js';
import { unbroadcast } from './broadcast.js';
import { scalarLike } from './elementwise.js';
import { rawReshape } from './reshape.js';

/** Attributes of `matmul`. */
export interface MatmulAttributes {
  /** Whether the last two axes of the left operand are exchanged first. */
  readonly transposeLeft: boolean;
  readonly transposeRight: boolean;
  /** What the product is multiplied with. */
  readonly scale: number;
}

const plain: MatmulAttributes = { transposeLeft: false, transposeRight: false, scale: 1 };

function lastTwo(type: TensorType, transposed: boolean): { axes: [string, string]; sizes: [Size, Size] } {
  const rank = type.shape.length;
  const [row, column] = transposed ? [rank - 1, rank - 2] : [rank - 2, rank - 1];
  return { axes: [type.axes[row]!, type.axes[column]!], sizes: [type.shape[row]!, type.shape[column]!] };
}

/** The product of matrices in the last two axes; the axes before them are broadcast. */
export const matmulOperator = definePrimitive<MatmulAttributes>({
  name: 'matmul',
  infer: ([left, right], { transposeLeft, transposeRight }) => {
    const types = [left!, right!];
    requireSameDType('matmul', types);
    requireFloat('matmul', ...types);
    if (types.some(({ shape }) => shape.length < 2)) throw mismatch('matmul', 'at least two axes each', types);
    const x = lastTwo(left!, transposeLeft);
    const y = lastTwo(right!, transposeRight);
    if (!sameSize(x.sizes[1], y.sizes[0])) {
      throw mismatch('matmul', `equal sizes of ${x.axes[1]} and ${y.axes[0]}`, types);
    }
    const batches = types.map(({ dtype, axes, shape }) => ({
      dtype,
      axes: axes.slice(0, -2),
      shape: shape.slice(0, -2),
    }));
    const { axes, shape } = broadcastTypes('matmul', batches);
    return [{ dtype: left!.dtype, axes: [...axes, x.axes[0], y.axes[1]], shape: [...shape, x.sizes[0], y.sizes[1]] }];
  },
  gradient: ({ inputs: [left, right], attributes: { transposeLeft, transposeRight, scale } }, [g]) => {
    if (!g) return [];
    return [
      unbroadcast(leftGradient(g, right!, transposeLeft, transposeRight, scale), left!),
      rightGradient(g, left!, right!, transposeLeft, transposeRight, scale),
    ];
  },
  cost: (inputs, outputs, { transposeLeft }) => {
    const [left] = inputs;
    const inner = left!.shape.at(transposeLeft ? -2 : -1)!;
    return { flops: 2 * inner * elements(outputs[0]!.shape), bytes: bytesOf(...inputs, ...outputs) };
  },
  onnx: (emitter, [left, right], { attributes: { transposeLeft, transposeRight, scale } }) => {
    if (!transposeLeft && !transposeRight && scale === 1) return emitter.emit('MatMul', [left!.name, right!.name]);
    return emitter.emit(
      'FusedMatMul',
      [left!.name, right!.name],
      { transA: { int: Number(transposeLeft) }, transB: { int: Number(transposeRight) }, alpha: { float: scale } },
      { domain: 'com.microsoft' },
    );
  },
  reference: ([left, right], { attributes: { transposeLeft, transposeRight, scale }, outputs: [output] }) => {
    const result = referenceArray(output!.dtype, output!.shape);
    const batch = output!.shape.slice(0, -2);
    const rows = output!.shape.at(-2)!;
    const columns = output!.shape.at(-1)!;
    const inner = left!.shape.at(transposeLeft ? -2 : -1)!;
    const [rowStep, leftStep] = transposeLeft ? [1, rows] : [inner, 1];
    const [columnStep, rightStep] = transposeRight ? [inner, 1] : [1, columns];
    const strides = [
      broadcastStrides(left!.shape.slice(0, -2), batch).map((stride) => stride * rows * inner),
      broadcastStrides(right!.shape.slice(0, -2), batch).map((stride) => stride * inner * columns),
    ];
    forEachOffset(batch, strides, (position, [leftBase, rightBase]) => {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          let sum = 0;
          for (let k = 0; k < inner; k++) {
            sum +=
              left!.data[leftBase! + row * rowStep + k * leftStep]! *
              right!.data[rightBase! + column * columnStep + k * rightStep]!;
          }
          result.data[(position * rows + row) * columns + column] = sum * scale;
        }
      }
    });
    return [result];
  },
  examples: [
    { name: 'matrices', inputs: [{ shape: [3, 4] }, { shape: [4, 2] }], attributes: plain },
    { name: 'batch with weights', inputs: [{ shape: [2, 3, 4] }, { shape: [4, 2] }], attributes: plain },
    {
      name: 'weights transposed',
      inputs: [{ shape: [2, 3, 4] }, { shape: [5, 4] }],
      attributes: { ...plain, transposeRight: true },
    },
    {
      name: 'left transposed',
      inputs: [{ shape: [4, 3] }, { shape: [4, 2] }],
      attributes: { ...plain, transposeLeft: true, scale: 0.5 },
    },
    {
      name: 'batches, both transposed',
      inputs: [{ shape: [2, 2, 4, 3] }, { shape: [2, 2, 5, 4] }],
      attributes: { transposeLeft: true, transposeRight: true, scale: 2 },
    },
    { name: 'batches broadcast', inputs: [{ shape: [2, 1, 3, 4] }, { shape: [3, 4, 2] }], attributes: plain },
    { name: 'no rows', inputs: [{ shape: [0, 4] }, { shape: [4, 2] }], attributes: plain },
    { name: 'size 1', inputs: [{ shape: [1, 1] }, { shape: [1, 1] }], attributes: plain },
  ],
});

function leftGradient(
  g: Symbolic,
  right: Symbolic,
  transposeLeft: boolean,
  transposeRight: boolean,
  scale: number,
): Symbolic {
  return transposeLeft
    ? rawMatmul(right, g, { transposeLeft: transposeRight, transposeRight: true, scale })
    : rawMatmul(g, right, { transposeLeft: false, transposeRight: !transposeRight, scale });
}

function rightGradient(
  g: Symbolic,
  left: Symbolic,
  right: Symbolic,
  transposeLeft: boolean,
  transposeRight: boolean,
  scale: number,
): Symbolic {
  if (right.shape.length === 2 && left.shape.length > 2 && !transposeLeft) {
    // Weights shared by a batch: one product over all rows instead of one per batch entry and a sum.
    const flat = (x: Symbolic): Symbolic =>
      rawReshape(x, ['row', x.axes.at(-1)!], [sizeOfShape(x.shape.slice(0, -1)), x.shape.at(-1)!]);
    return rightGradient(flat(g), flat(left), right, false, transposeRight, scale);
  }
  const gradient = transposeRight
    ? rawMatmul(g, left, { transposeLeft: true, transposeRight: transposeLeft, scale })
    : rawMatmul(left, g, { transposeLeft: !transposeLeft, transposeRight: false, scale });
  return unbroadcast(gradient, right);
}

/** @internal */
export function rawMatmul(left: Symbolic, right: Symbolic, attributes: Partial<MatmulAttributes> = {}): Symbolic {
  return applyOne(matmulOperator, [left, right], { ...plain, ...attributes });
}

/**
 * A linear map of the last axis.
 *
 * @param x `[..., K]`
 * @param weights `[K, N]`
 * @returns `[..., N]`
 * @throws UserLlmError `shape-mismatch` when the sizes of K differ.
 */
export function matmul<L extends Axes, K extends string, N extends string>(
  x: Float<readonly [...L, K]>,
  weights: Float<readonly [NoInfer<K>, N]>,
): Float<readonly [...L, N]> {
  requireContracted('matmul', x.axes.at(-1), weights.axes[0], [x, weights]);
  return rawMatmul(x, weights) as unknown as Float<readonly [...L, N]>;
}

/**
 * A linear map of the last axis by weights that are stored the other way round, such as a tied output layer.
 *
 * @param x `[..., K]`
 * @param weights `[N, K]`
 * @returns `[..., N]`
 */
export function matmulTransposed<L extends Axes, K extends string, N extends string>(
  x: Float<readonly [...L, K]>,
  weights: Float<readonly [N, NoInfer<K>]>,
): Float<readonly [...L, N]> {
  requireContracted('matmulTransposed', x.axes.at(-1), weights.axes[1], [x, weights]);
  return rawMatmul(x, weights, { transposeRight: true }) as unknown as Float<readonly [...L, N]>;
}

/**
 * The product of two batches of matrices.
 *
 * @param x `[...L, M, K]`
 * @param y `[...L, K, N]`
 * @returns `[...L, M, N]`
 */
export function batchMatmul<L extends Axes, M extends string, K extends string, N extends string>(
  x: Float<readonly [...L, M, K]>,
  y: Float<readonly [...Decided<L>, NoInfer<K>, N]>,
): Float<readonly [...L, M, N]> {
  requireContracted('batchMatmul', x.axes.at(-1), y.axes.at(-2), [x, y]);
  return rawMatmul(x, y) as unknown as Float<readonly [...L, M, N]>;
}

/**
 * The product of a batch of matrices with another that is stored the other way round.
 *
 * @param x `[...L, M, K]`
 * @param y `[...L, N, K]`
 * @returns `[...L, M, N]`
 */
export function batchMatmulTransposed<L extends Axes, M extends string, K extends string, N extends string>(
  x: Float<readonly [...L, M, K]>,
  y: Float<readonly [...Decided<L>, N, NoInfer<K>]>,
): Float<readonly [...L, M, N]> {
  requireContracted('batchMatmulTransposed', x.axes.at(-1), y.axes.at(-1), [x, y]);
  return rawMatmul(x, y, { transposeRight: true }) as unknown as Float<readonly [...L, M, N]>;
}

function requireContracted(
  what: string,
  left: string | undefined,
  right: string | undefined,
  types: readonly TensorType[],
): void {
  if (left !== right)
    throw mismatch(what, `one name for the axis that is summed over (${left})`, types, 'Rename one of them.');
}

/** @internal The number of rows when all axes but the last are joined. */
export function rowsOf(shape: readonly Size[]): Size {
  return shape.slice(0, -1).reduce<Size>(multiplySizes, 1);
}

/** @internal `scale * x`, or `x` itself for a scale of 1. */
export function rawScale(x: Symbolic, scale: number): Symbolic {
  return scale === 1 ? x : rawMultiply(x, scalarLike(x, scale));
}

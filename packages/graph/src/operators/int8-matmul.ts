import { mismatch, requireDType } from '../inference.js';
import { onnxDTypeCode } from '../onnx.js';
import { applyOne, defineComposite } from '../operator.js';
import { sameSize } from '../size.js';
import type { Symbolic } from '../symbolic.js';
import { rawMultiply } from './arithmetic.js';
import { rawCast } from './cast.js';
import { rawMatmul } from './matmul.js';
import type { QuantizedMatmulAttributes } from './quantized-matmul.js';

/** Parts of a row are whole numbers from -63 to 63, with this in place of 0. */
const middle = 64;
const largestCode = 63;
/** Rows of smaller numbers than this are not made larger. */
const leastScale = 1e-30;

/** Attributes of `int8Matmul`. */
export interface Int8MatmulAttributes {
  /** Whether `x` may be rounded, row by row, to a part in 15,000 of its largest number, for products of whole numbers. */
  readonly accuracy: QuantizedMatmulAttributes['accuracy'];
}

/**
 * A linear map by a matrix of 8-bit numbers: `x [..., K]`, `codes [K, N]`, `scales [N]` to `[..., N]`; column `n` of the
 * matrix is `scales[n] * codes[:, n]`. Codes are int8; int32 where a runtime has none.
 *
 * For products of whole numbers each row of `x`, over its largest number, is written as the sum of two parts of seven bits,
 * the second being what the first leaves. Seven, since x86 processors before AVX-512 VNNI add pairs of products in 16 bits,
 * which eight would overflow. NaN and infinities make their row NaN. ONNX Runtime refuses an `x` without rows there.
 */
export const int8MatmulOperator = defineComposite<Int8MatmulAttributes>({
  name: 'int8Matmul',
  infer: ([x, codes, scales]) => {
    const types = [x!, codes!, scales!];
    requireDType('int8Matmul', 'float32', x!, scales!);
    if (codes!.dtype !== 'int32') requireDType('int8Matmul', 'int8', codes!);
    const [inner, columns] = codes!.shape;
    const fits =
      x!.shape.length > 1 &&
      codes!.shape.length === 2 &&
      scales!.shape.length === 1 &&
      sameSize(x!.shape.at(-1)!, inner!) &&
      sameSize(scales!.shape[0]!, columns!);
    if (!fits) throw mismatch('int8Matmul', 'codes [K, N] and scales [N], K being the last axis of x', types);
    return [
      {
        dtype: 'float32',
        axes: [...x!.axes.slice(0, -1), codes!.axes[1]!],
        shape: [...x!.shape.slice(0, -1), columns!],
      },
    ];
  },
  decompose: ([x, codes, scales]) => [rawMultiply(rawMatmul(x!, rawCast(codes!, 'float32')), scales!)],
  onnx: (emitter, [x, codes, scales], { attributes: { accuracy } }) => {
    if (accuracy === 'float32') return undefined;
    const bytes =
      codes!.dtype === 'int8'
        ? codes!.name
        : emitter.emit('Cast', [codes!.name], { to: { int: onnxDTypeCode['int8']! } })[0]!;
    const scalar = (value: number): string => emitter.constant('float32', [], [value]);
    const sizes = emitter.emit('Abs', [x!.name])[0]!;
    const ofRow = (op: string, values: string): string =>
      emitter.emit(op, [values, emitter.constant('int64', [1], [-1])], { keepdims: { int: 1 } })[0]!;
    const largest = ofRow('ReduceMax', sizes);
    const rowScale = emitter.emit('Max', [largest, scalar(leastScale)])[0]!;
    const within = emitter.emit('Div', [x!.name, rowScale])[0]!;
    const zero = emitter.constant('uint8', [], [middle]);
    const [coarseStep, fineStep] = [scalar(1 / largestCode), scalar(1 / largestCode ** 2 / 2)];
    const coarse = emitter.emit('QuantizeLinear', [within, coarseStep, zero])[0]!;
    const read = emitter.emit('DequantizeLinear', [coarse, coarseStep, zero])[0]!;
    const rest = emitter.emit('Sub', [within, read])[0]!;
    const fine = emitter.emit('QuantizeLinear', [rest, fineStep, zero])[0]!;
    const product = (part: string, step: string): string =>
      emitter.emit(
        'MatMulIntegerToFloat',
        [part, bytes, step, scales!.name, zero],
        {},
        { domain: 'com.microsoft' },
      )[0]!;
    const sum = emitter.emit('Add', [product(coarse, coarseStep), product(fine, fineStep)])[0]!;
    // Whole numbers have no NaN, and the largest of a row can miss one: its sum does not.
    const noNaN = emitter.emit('Mul', [ofRow('ReduceL1', within), scalar(0)])[0]!;
    return emitter.emit('Mul', [sum, emitter.emit('Add', [rowScale, noNaN])[0]!]);
  },
  examples: [
    example('one row', [1, 64], 3),
    example('rows', [5, 32], 7),
    example('batch', [2, 3, 16], 4),
    example('one output', [2, 8], 1),
    example('no rows', [0, 32], 2),
  ],
});

function example(name: string, x: readonly number[], columns: number) {
  const inner = x.at(-1)!;
  const values = Array.from({ length: inner * columns }, (_, at) => ((at * 37) % 255) - 127);
  return {
    name,
    inputs: [{ shape: x }, { dtype: 'int32', shape: [inner, columns], values }, { shape: [columns] }],
    attributes: { accuracy: 'float32' },
  } as const;
}

/** @internal */
export function rawInt8Matmul(
  x: Symbolic,
  codes: Symbolic,
  scales: Symbolic,
  attributes: Int8MatmulAttributes,
): Symbolic {
  return applyOne(int8MatmulOperator, [x, codes, scales], attributes);
}

import { Random, Tensor } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { quantizeMatrix } from '../src/quantization/quantize-matrix.js';
import { QuantizedMatrix, type Weight } from '../src/quantization/quantized-matrix.js';
import { partsOfStack, stackWeights } from '../src/quantization/stack-weights.js';

const width = 64;
const real = (rows: number): Tensor => {
  const data = Random.fromSeed(rows).normal(rows * width);
  return new Tensor('float32', ['out', 'width'], [rows, width], data) as Tensor;
};
const numbers = (weight: Weight): number[] =>
  Array.from((weight instanceof QuantizedMatrix ? weight.dequantize(['out', 'width']) : weight).data as Float32Array);

describe.each<readonly [string, (rows: number) => Weight]>([
  ['real numbers', real],
  ['8 bits', (rows) => quantizeMatrix(real(rows) as Tensor<'float32'>, 8)],
  ['4 bits', (rows) => quantizeMatrix(real(rows) as Tensor<'float32'>, 4)],
  [
    'blocks with offsets',
    (rows) => {
      const codes = Uint8Array.from({ length: rows * width }, (_, at) => (7 * at + rows) % 256);
      const scales = Float32Array.from({ length: rows * 2 }, (_, at) => 0.01 * (at + rows));
      return new QuantizedMatrix(
        { bits: 8, block: 32 },
        rows,
        codes,
        scales,
        scales.map((scale) => -scale),
      );
    },
  ],
])('a stack of matrices of %s', (_, made) => {
  const matrices = [made(3), made(1), made(4)];
  const stack = stackWeights(matrices);

  it('has the rows of all, in order', () => {
    expect(stack.shape).toEqual([8, width]);
    expect(numbers(stack)).toEqual(matrices.flatMap(numbers));
  });

  it('holds them in its own memory', () => {
    const parts = partsOfStack(stack, matrices);
    expect(parts.map(numbers)).toEqual(matrices.map(numbers));
    const memory = (weight: Weight): unknown => (weight instanceof QuantizedMatrix ? weight.codes : weight).data.buffer;
    for (const part of parts) expect(memory(part)).toBe(memory(stack));
  });
});

import { Tensor } from '@user-llm/tensor';
import { QuantizedMatrix, type Weight } from './quantized-matrix.js';

type Numbers = Float32Array | Uint8Array;

/** One matrix whose rows are those of several of one kind, matrix after matrix. */
export function stackWeights(weights: readonly Weight[]): Weight {
  const [first] = weights as readonly [Weight];
  const rows = weights.reduce((sum, { shape }) => sum + shape[0]!, 0);
  if (!(first instanceof QuantizedMatrix)) {
    const data = stacked((weights as readonly Tensor[]).map((weight) => weight.contiguous().data as Float32Array));
    return new Tensor('float32', first.axes, [rows, first.shape[1]!], data) as Tensor;
  }
  const matrices = weights as readonly QuantizedMatrix[];
  const codes = stacked(matrices.map((matrix) => matrix.codes.data));
  const scales = stacked(matrices.map((matrix) => matrix.scales.data));
  const offsets = first.offsets && stacked(matrices.map((matrix) => matrix.offsets!.data));
  return new QuantizedMatrix(first, rows, codes, scales, offsets);
}

/** The matrices that a stack was made of, in the stack's memory. */
export function partsOfStack(stack: Weight, weights: readonly Weight[]): Weight[] {
  let from = 0;
  return weights.map((weight) => {
    const [rows, width] = weight.shape as readonly [number, number];
    const [begin, end] = [from, (from += rows)];
    if (!(stack instanceof QuantizedMatrix)) {
      const data = (stack.data as Float32Array).subarray(begin * width, end * width);
      return new Tensor('float32', (weight as Tensor).axes, [rows, width], data) as Tensor;
    }
    return stack.sliced(begin, end);
  });
}

function stacked<T extends Numbers>(parts: readonly T[]): T {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new (parts[0]!.constructor as new (length: number) => T)(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

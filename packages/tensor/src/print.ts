import type { DType } from './dtype.js';
import type { Tensor } from './tensor.js';

const edge = 3;

/** A tensor as text: `float32 [batch: 2, event: 3]` and its elements, without the middle of axes longer than 6. */
export function printTensor(tensor: Tensor<DType>): string {
  const sizes = tensor.axes.map((axis, index) => `${axis}: ${tensor.shape[index]}`);
  const between = tensor.axes.length > 1 ? '\n' : ' ';
  return `${tensor.dtype} [${sizes.join(', ')}]${between}${printAxis(tensor, [])}`;
}

function printAxis(tensor: Tensor<DType>, index: readonly number[]): string {
  const axis = index.length;
  if (axis === tensor.shape.length) {
    return printElement(tensor.at(...index));
  }
  const size = tensor.shape[axis]!;
  const shown = size <= 2 * edge ? range(0, size) : [...range(0, edge), ...range(size - edge, size)];
  const parts = shown.map((at) => printAxis(tensor, [...index, at]));
  if (shown.length < size) {
    parts.splice(edge, 0, '...');
  }
  const between = axis === tensor.shape.length - 1 ? ', ' : `,\n${' '.repeat(axis + 1)}`;
  return `[${parts.join(between)}]`;
}

function printElement(value: number | bigint | boolean): string {
  return typeof value === 'number' && !Number.isInteger(value) ? String(Number(value.toPrecision(6))) : String(value);
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}

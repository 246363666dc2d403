import { Tensor, type DType, type TypedArrayOf } from '@user-llm/tensor';

/** The elements of one row of a batch; they share memory with it. */
export function rowOf<D extends DType>(batch: Tensor<D>, row: number): TypedArrayOf<D> {
  const { data, size, shape } = batch.contiguous();
  const each = size / shape[0]!;
  return data.subarray(row * each, (row + 1) * each) as TypedArrayOf<D>;
}

/**
 * Batches one after the other as one batch, tensor by tensor.
 *
 * @param parts At least one; all of the same names, dtypes and sizes but for the first axis.
 */
export function rowsInto(parts: readonly Readonly<Record<string, Tensor>>[]): Record<string, Tensor> {
  const [first] = parts;
  if (!first) return {};
  if (parts.length === 1) return first;
  const joined = Object.entries(first).map(([name, { dtype, axes, shape }]) => {
    const tensors = parts.map((part) => part[name]!.contiguous());
    const rows = tensors.reduce((sum, tensor) => sum + tensor.shape[0]!, 0);
    const whole = new Tensor(dtype, axes, [rows, ...shape.slice(1)]);
    let at = 0;
    for (const tensor of tensors) {
      (whole.data as Float32Array).set(tensor.data as Float32Array, at);
      at += tensor.size;
    }
    return [name, whole] as const;
  });
  return Object.fromEntries(joined);
}

/** Rows of a batch chosen by their numbers, tensor by tensor. */
export function takeRows(batch: Readonly<Record<string, Tensor>>, rows: readonly number[]): Record<string, Tensor> {
  const taken = Object.entries(batch).map(([name, tensor]) => {
    const { dtype, axes, shape } = tensor;
    const whole = new Tensor(dtype, axes, [rows.length, ...shape.slice(1)]);
    const each = whole.size / Math.max(1, rows.length);
    rows.forEach((row, at) => (whole.data as Float32Array).set(rowOf(tensor, row) as Float32Array, at * each));
    return [name, whole] as const;
  });
  return Object.fromEntries(taken);
}

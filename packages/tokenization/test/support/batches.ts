import type { EventSchema } from '@user-llm/plugin';
import type { Batch, BatchCursor, BatchLoader, BatchRange } from '../../src/index.js';

/** All a batch holds, comparable. */
export function content({ users, columns, labels, mask, lengths }: Batch): unknown {
  const data = (tensors: Batch['columns']) =>
    Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, [tensor.shape, [...tensor.data]]]));
  return { users, columns: data(columns), labels: data(labels), mask: [...mask.data], lengths: [...lengths.data] };
}

/** The batches of a range, and the cursor after each. */
export async function collect<S extends EventSchema>(
  loader: BatchLoader<S>,
  range: BatchRange = {},
): Promise<{ readonly batches: unknown[]; readonly cursors: BatchCursor[]; readonly error: unknown }> {
  const batches: unknown[] = [];
  const cursors: BatchCursor[] = [];
  try {
    for await (const batch of loader.batches(range)) {
      batches.push(content(batch as unknown as Batch));
      cursors.push(batch.next);
    }
  } catch (error) {
    return { batches, cursors, error };
  }
  return { batches, cursors, error: undefined };
}

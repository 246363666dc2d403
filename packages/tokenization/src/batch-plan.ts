import type { Random } from '@user-llm/tensor';
import type { Windows } from './windows.js';

/** One batch to come. */
export interface PlannedBatch {
  /** The windows in it. */
  readonly rows: Int32Array;
  /** Events it is padded to. */
  readonly events: number;
}

/** How windows are put together. */
export interface BatchShape {
  /** Windows per batch. */
  readonly batchSize: number;
  /** Lengths that batches are padded to, ascending; the last is at least the longest window's. */
  readonly lengthBuckets: readonly number[];
  /** Whether batches with fewer windows are left out. */
  readonly dropLast: boolean;
}

/**
 * Puts windows together into batches whose windows fall into the same length bucket.
 *
 * @param random Shuffles the windows and then the batches; without it both stay in order.
 */
export function planBatches(windows: Windows, shape: BatchShape, random?: Random): PlannedBatch[] {
  const { batchSize, lengthBuckets, dropLast } = shape;
  const order = random?.split('windows').permutation(windows.count);
  const counts = new Int32Array(lengthBuckets.length + 1);
  const longest = lengthBuckets.at(-1)!;
  const ofLength = Uint8Array.from({ length: longest + 1 }, (_, length) =>
    lengthBuckets.findIndex((bound) => length <= bound),
  );
  const bucketOf = (window: number): number => ofLength[windows.ends[window]! - windows.starts[window]!]!;
  for (let window = 0; window < windows.count; window++) counts[bucketOf(window) + 1]!++;
  for (let bucket = 0; bucket < lengthBuckets.length; bucket++) counts[bucket + 1]! += counts[bucket]!;
  const sorted = new Int32Array(windows.count);
  const next = counts.slice();
  for (let at = 0; at < windows.count; at++) {
    const window = order?.[at] ?? at;
    sorted[next[bucketOf(window)]!++] = window;
  }
  const batches = lengthBuckets.flatMap((events, bucket) => {
    const rows = sorted.subarray(counts[bucket]!, counts[bucket + 1]!);
    const number = dropLast ? Math.floor(rows.length / batchSize) : Math.ceil(rows.length / batchSize);
    return Array.from({ length: number }, (_, batch) => ({
      rows: rows.subarray(batch * batchSize, (batch + 1) * batchSize),
      events,
    }));
  });
  if (random === undefined) return batches.sort((a, b) => a.rows[0]! - b.rows[0]!);
  return Array.from(random.split('batches').permutation(batches.length), (batch) => batches[batch]!);
}

import { UserLlmError } from '@user-llm/tensor';
import type { EventTokenizer } from './event-tokenizer.js';
import { featureKinds } from './features/kinds.js';
import { contentHash } from './hash.js';
import { readEvents } from './parquet-events.js';
import { openParquet, rowRanges, type ParquetTable } from './parquet-table.js';
import type { TimelineSource } from './timeline-source.js';
import type { Timelines } from './timelines.js';

/** What reading from Parquet may take. */
export interface ParquetTimelinesOptions {
  /** Bytes that the encoded events may take, windows and what building them takes included; 2 GiB when absent. */
  readonly memoryLimit?: number;
}

const gibibyte = 2 ** 30;
const shardsAtOnce = 4;
// Owner, time, row and order while building, the same again sorted, and a window of four numbers per event.
const bytesPerEvent = 56;

/**
 * The timelines of a canonical `events` table. What fits in the memory limit is loaded at once; more is read in shards of
 * whole users, four of them held at a time, which asks that each user's rows stand together, as they do in canonical
 * files.
 *
 * @throws UserLlmError `no-parquet`, `missing-column`; `unsorted-events` when users' rows do not stand together.
 */
export async function openParquetTimelines(
  path: string,
  tokenizer: EventTokenizer,
  { memoryLimit = 2 * gibibyte }: ParquetTimelinesOptions = {},
): Promise<TimelineSource> {
  const table = await openParquet(path, ['user', 'item', 'time', ...tokenizer.fields]);
  const ids = tokenizer.features.reduce((sum, { origin, slots }) => (origin === 'item' ? sum : sum + slots), 0);
  const capacity = Math.max(1, Math.floor(memoryLimit / (bytesPerEvent + 2 * 4 * ids)));
  const whole = table.rows <= capacity;
  const starts = whole ? [0, table.rows] : await shardStarts(table, Math.ceil(capacity / shardsAtOnce));
  let held: { readonly key: string; readonly timelines: Timelines } | undefined;
  return {
    fingerprint: contentHash([tokenizer.hash, table.fingerprint, starts]),
    shards: starts.length - 1,
    shardsAtOnce: whole ? 1 : shardsAtOnce,
    async load(shards) {
      const key = shards.join();
      if (held?.key === key) return held.timelines;
      held = undefined;
      const builder = tokenizer.builder();
      for (const shard of shards) {
        for await (const chunk of readEvents(table, tokenizer.fields, starts[shard]!, starts[shard + 1]!)) {
          builder.add(chunk);
        }
      }
      held = { key, timelines: builder.finish() };
      return held.timelines;
    },
    share() {
      const foreign = tokenizer.features.find(({ kind }) => !featureKinds.includes(kind));
      if (foreign !== undefined) throw notShareable(foreign.name, foreign.kind.kind);
      return { kind: 'parquet', path, memoryLimit, tokenizer: tokenizer.toJSON() };
    },
  };
}

/** Rows at which shards of about `length` rows begin, each at the first row of a user; the number of rows comes last. */
async function shardStarts(table: ParquetTable, length: number): Promise<number[]> {
  const starts = [0];
  const seen = new Set<string>();
  let current: string | undefined;
  for (const { rowStart, rowEnd } of rowRanges(table, 0, table.rows, Infinity)) {
    const users = await table.read('user', rowStart, rowEnd);
    for (let row = rowStart; row < rowEnd; row++) {
      const user = String(users[row - rowStart]);
      if (user === current) continue;
      if (seen.has(user)) throw unsorted(table.path, user, row);
      seen.add(user);
      current = user;
      if (row - starts.at(-1)! >= length) starts.push(row);
    }
  }
  return [...starts, table.rows];
}

function unsorted(path: string, user: string, row: number): UserLlmError {
  return new UserLlmError('unsorted-events', {
    what: path,
    expected: "each user's rows beside each other, since the events do not fit the memory limit",
    got: `user ${user} again at row ${row}`,
    mend: 'Prepare the data set again (canonical files are sorted by user and time), or raise the memory limit.',
  });
}

function notShareable(feature: string, kind: string): UserLlmError {
  return new UserLlmError('feature-not-shareable', {
    what: `feature ${feature}`,
    expected: 'a kind that comes with the package, since a worker reads the events',
    got: `the kind ${kind} of a plugin`,
    mend: 'Make batches without prefetch, or from timelines in memory.',
  });
}

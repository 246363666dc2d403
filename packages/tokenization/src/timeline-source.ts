import { createHash } from 'node:crypto';
import type { EventTokenizer } from './event-tokenizer.js';
import type { Timelines, TimelineColumns } from './timelines.js';

/** What a worker needs to have the same timelines. */
export type SharedSource =
  | { readonly kind: 'memory'; readonly columns: TimelineColumns; readonly fingerprint: string }
  | {
      readonly kind: 'parquet';
      readonly path: string;
      readonly memoryLimit: number;
      /** The tokenizer's JSON. */
      readonly tokenizer: unknown;
    };

/** Timelines in shards, each of whole users: one shard where all fits in memory. */
export interface TimelineSource {
  /** Changes whenever the ids do: a cursor made with another one is refused. */
  readonly fingerprint: string;
  readonly shards: number;
  /** How many shards are held, and shuffled among each other, at a time. */
  readonly shardsAtOnce: number;
  load(shards: readonly number[]): Promise<Timelines>;
  /** What a worker is sent. */
  share(): SharedSource;
}

/** Bytes; `Hash.update` takes less than 2 GiB. */
const hashedAtOnce = 2 ** 30;

/** Timelines that are in memory already, made by this tokenizer. */
export function timelinesInMemory(tokenizer: Pick<EventTokenizer, 'hash'>, timelines: Timelines): TimelineSource {
  const { users, offsets, times, itemRows, eventColumns } = timelines.columns;
  const hash = createHash('sha256').update(`${tokenizer.hash} ${JSON.stringify(users)}`);
  for (const column of [offsets, times, itemRows, ...Object.values(eventColumns)]) {
    const bytes = new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
    for (let at = 0; at < bytes.length; at += hashedAtOnce) hash.update(bytes.subarray(at, at + hashedAtOnce));
  }
  return sharedTimelines(timelines, hash.digest('hex'));
}

/** Timelines with the fingerprint that they had elsewhere. */
export function sharedTimelines(timelines: Timelines, fingerprint: string): TimelineSource {
  return {
    fingerprint,
    shards: 1,
    shardsAtOnce: 1,
    load: () => Promise.resolve(timelines),
    share: () => ({ kind: 'memory', columns: timelines.columns, fingerprint }),
  };
}

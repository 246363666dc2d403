import type { EventTokenizer } from './event-tokenizer.js';
import { contentHash } from './hash.js';
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

/** Timelines that are in memory already, made by this tokenizer. */
export function timelinesInMemory(tokenizer: Pick<EventTokenizer, 'hash'>, timelines: Timelines): TimelineSource {
  const { columns, users, events } = timelines;
  return sharedTimelines(
    timelines,
    contentHash([tokenizer.hash, users, events, columns.users[0], columns.users.at(-1)]),
  );
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

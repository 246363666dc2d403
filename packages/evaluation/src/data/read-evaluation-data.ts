import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Event, Item } from '@user-llm/plugin';
import { parquetEvents, parquetItems } from '@user-llm/tokenization';
import { evaluationData, type EvaluationData } from './evaluation-data.js';

/** A prepared data set on the disk. */
export interface PreparedFiles {
  readonly name: string;
  /** Path of the canonical events in Parquet. */
  readonly events: string;
  /** Path of the canonical items in Parquet. */
  readonly items: string;
  /** Columns of the events to read beside user, item and time, such as `rating`; those that the file has. */
  readonly fields: readonly string[];
}

/**
 * Reads a prepared data set whole.
 *
 * @throws UserLlmError as `parquetEvents` and `parquetItems`, and `no-events`.
 */
export async function readEvaluationData({ name, events, items, fields }: PreparedFiles): Promise<EvaluationData> {
  const read: Event[] = [];
  for await (const chunk of parquetEvents(events).columns(fields)) {
    for (let row = 0; row < chunk.length; row++) {
      const told = fields.map((field) => [field, chunk.fields[field]![row]] as const);
      const [user, item, time] = [chunk.users[row]!, chunk.items[row]!, chunk.times[row]!];
      read.push({ ...Object.fromEntries(told), user, item, time });
    }
  }
  const catalogue: Item[] = [];
  for await (const item of parquetItems(items)) catalogue.push(item);
  return evaluationData({ name, events: read, items: catalogue, ...(await fileHashes([events, items])) });
}

/** The hash of files together, and those of each. */
async function fileHashes(paths: readonly string[]): Promise<{ readonly hash: string; readonly fingerprint: string }> {
  const all = createHash('sha256');
  const each: string[] = [];
  for (const path of paths) {
    const own = createHash('sha256');
    for await (const bytes of createReadStream(path)) {
      all.update(bytes as Buffer);
      own.update(bytes as Buffer);
    }
    each.push(own.digest('hex'));
  }
  return { hash: all.digest('hex'), fingerprint: each.join(' ') };
}

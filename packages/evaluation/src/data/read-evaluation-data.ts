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
  return evaluationData({ name, events: read, items: catalogue, hash: await filesHash([events, items]) });
}

async function filesHash(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) for await (const bytes of createReadStream(path)) hash.update(bytes as Buffer);
  return hash.digest('hex');
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BadRowReason, TableName } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

/** Names of the files of a prepared data set. */
export const datasetFiles = {
  manifest: 'manifest.json',
  events: 'events.parquet',
  items: 'items.parquet',
  /** Only there when there are bad rows. */
  badRows: 'bad-rows.jsonl',
} as const;

const count = z.int().nonnegative();
const rows = z.object({
  /** Rows of the raw files, bad ones too. */
  read: count,
  bad: z.record(z.string(), count),
  /** Rows that said again what an earlier one had said. */
  duplicates: count,
});
const file = z.object({ bytes: count, sha256: z.string(), rows: count });

/** What `manifest.json` says; every field has its meaning in `DatasetManifest`. */
export const manifestSchema = z.object({
  format: z.literal('user-llm-dataset'),
  version: z.literal(1),
  source: z.string(),
  citation: z.string().optional(),
  madeBy: z.object({ package: z.string(), engine: z.string() }),
  options: z.object({
    minHistory: count,
    kCore: count,
    duplicates: z.enum(['drop', 'keep']),
    maxBadRowShare: z.number(),
    earliest: z.number(),
    latest: z.number(),
  }),
  inputs: z.array(
    z.object({
      table: z.enum(['events', 'items']),
      file: z.string(),
      bytes: count.optional(),
      sha256: z.string().optional(),
      encoding: z.string().optional(),
      windows1252Lines: count.optional(),
      pythonLines: count.optional(),
    }),
  ),
  rows: z.object({ events: rows, items: rows }),
  counts: z.object({
    events: count,
    users: count,
    items: count,
    itemsWithEvents: count,
    itemsWithoutMetadata: count,
    filterRounds: count,
  }),
  time: z.object({ first: z.string(), last: z.string() }),
  schema: z.object({ events: z.record(z.string(), z.string()), items: z.record(z.string(), z.string()) }),
  files: z.object({ [datasetFiles.events]: file, [datasetFiles.items]: file }),
});

/**
 * What is known of a prepared data set: where it came from, how it was made, what is in it.
 *
 * Nothing in it tells when or where it was made: the same inputs and options give the same bytes. `time` is in ISO 8601;
 * `schema` gives the SQL type of each column, `events.time` being milliseconds since 1970-01-01T00:00:00Z.
 */
export type DatasetManifest = z.infer<typeof manifestSchema>;

/** What became of the raw rows of a table. */
export interface RowCounts {
  readonly read: number;
  readonly bad: Readonly<Partial<Record<BadRowReason, number>>>;
  readonly duplicates: number;
}

/** A raw table in which nothing was read. */
export const noRows: RowCounts = { read: 0, bad: {}, duplicates: 0 };

/** How many rows of a table were bad, for whatever reason. */
export const badRowCount = (bad: Readonly<Record<string, number | undefined>>): number =>
  Object.values(bad).reduce<number>((sum, n) => sum + (n ?? 0), 0);

/** A prepared data set on the disk. */
export interface Dataset {
  readonly manifest: DatasetManifest;
  /** Paths of its Parquet files. */
  readonly paths: Readonly<Record<TableName, string>>;
}

/**
 * Opens a prepared data set: reads its manifest, and says where its tables are.
 *
 * @throws UserLlmError `dataset-not-found` when the folder is none, `bad-manifest` when its manifest cannot be read.
 */
export async function openDataset(folder: string): Promise<Dataset> {
  const path = join(folder, datasetFiles.manifest);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new UserLlmError('dataset-not-found', {
      what: folder,
      expected: `a prepared data set with a ${datasetFiles.manifest}`,
      mend: 'Prepare one: user-llm-train data prepare --help',
      cause,
    });
  }
  const manifest = parseManifest(text);
  if (!manifest.success) {
    throw new UserLlmError('bad-manifest', {
      what: path,
      expected: 'the manifest of a prepared data set, version 1',
      got: manifest.problem,
      mend: 'Prepare the data set again.',
    });
  }
  return {
    manifest: manifest.data,
    paths: { events: join(folder, datasetFiles.events), items: join(folder, datasetFiles.items) },
  };
}

function parseManifest(text: string): { success: true; data: DatasetManifest } | { success: false; problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { success: false, problem: String(error) };
  }
  const parsed = manifestSchema.safeParse(value);
  return parsed.success ? parsed : { success: false, problem: z.prettifyError(parsed.error) };
}

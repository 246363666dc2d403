import { availableParallelism } from 'node:os';
import type { DatasetSource, TableEngine } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

/** Options of `prepareDataset` that shape the data set: the manifest records them. */
export const shapeSchema = z.strictObject({
  /** Users with fewer events are dropped. */
  minHistory: z.int().min(1).default(1),
  /** Users and items with fewer events are dropped until none is left: the k-core. */
  kCore: z.int().min(1).default(1),
  /** Whether events equal to an earlier one in every column are dropped. */
  duplicates: z.enum(['drop', 'keep']).default('drop'),
  /** The largest share of bad rows, 0 to 1, with which a data set is still made. */
  maxBadRowShare: z.number().min(0).max(1).default(0.01),
  /** Earliest time of an event, in milliseconds since 1970-01-01T00:00:00Z. */
  earliest: z.number().default(0),
  /** First time that is too late, in the same unit: the year 2100 when absent. */
  latest: z.number().default(Date.UTC(2100, 0, 1)),
});

/** Options of `prepareDataset` that say what it may take: they change nothing in the result. */
export const resourceSchema = z.strictObject({
  /** Bytes of memory for the engine; the process takes some hundred megabytes more. */
  memoryLimit: z.number().min(64e6).default(1.5e9),
  threads: z.int().min(1).default(availableParallelism),
});

/** How a data set is made; see `PrepareOptions`. */
export type Shape = z.infer<typeof shapeSchema>;

/** How far a preparation is. */
export interface PrepareProgress {
  readonly step:
    'check files' | 'read events' | 'sort events' | 'read items' | 'filter' | 'write events' | 'write items' | 'finish';
  /** 0 to 1, where it is known. */
  readonly fraction?: number;
}

/** What `prepareDataset` takes. */
export interface PrepareOptions extends Partial<z.input<typeof shapeSchema>>, Partial<z.input<typeof resourceSchema>> {
  readonly source: DatasetSource;
  /** A file, a folder, a glob or an address; absent for a source that makes its data itself. */
  readonly input?: string;
  /** Folder of the data set; a data set that stands there is replaced when the new one is whole. */
  readonly output: string;
  /** What does the work; DuckDB when absent. */
  readonly engine?: TableEngine;
  /** Stops the work; nothing is left behind. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: PrepareProgress) => void;
}

/**
 * The shape and resources of options, with their defaults.
 *
 * @throws UserLlmError `bad-options` when one is out of its range.
 */
export function parseOptions(options: PrepareOptions): { shape: Shape; resources: z.infer<typeof resourceSchema> } {
  const pick = (names: readonly string[]) =>
    Object.fromEntries(Object.entries(options).filter(([name, value]) => names.includes(name) && value !== undefined));
  const shape = shapeSchema.safeParse(pick(Object.keys(shapeSchema.shape)));
  const resources = resourceSchema.safeParse(pick(Object.keys(resourceSchema.shape)));
  const error = shape.error ?? resources.error;
  if (!shape.success || !resources.success) {
    throw new UserLlmError('bad-options', { what: 'prepareDataset', got: error ? z.prettifyError(error) : 'none' });
  }
  return { shape: shape.data, resources: resources.data };
}

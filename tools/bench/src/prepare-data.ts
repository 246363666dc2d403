import { fromTable, movielens, prepareDataset } from '@user-llm/datasets';
import { peakMemory } from './peak-memory.js';

/** Raw files to prepare. */
export interface Preparation {
  readonly kind: 'parquet' | 'csv';
  readonly input: string;
  readonly output: string;
  readonly threads: number;
}

/** What it took. */
export interface Prepared {
  readonly seconds: number;
  /** The most memory this process has held. */
  readonly peakBytes: number;
  readonly events: number;
}

/** Prepares raw files and measures it; the peak is that of the whole process. */
export async function prepareMeasured({ kind, input, output, threads }: Preparation): Promise<Prepared> {
  const columns = { user: 'customer', item: 'sku', time: 'at', rating: 'stars' };
  const source = kind === 'parquet' ? fromTable({ columns }) : movielens;
  const start = performance.now();
  const { counts } = await prepareDataset({ source, input, output, threads });
  return { seconds: (performance.now() - start) / 1000, peakBytes: peakMemory(), events: counts.events };
}

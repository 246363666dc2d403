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
  /** Seconds of work of all threads of this process. */
  readonly cpuSeconds: number;
  /** The most memory this process has held. */
  readonly peakBytes: number;
  readonly events: number;
}

/** Prepares raw files and measures it; the peak is that of the whole process. */
export async function prepareMeasured({ kind, input, output, threads }: Preparation): Promise<Prepared> {
  const columns = { user: 'customer', item: 'sku', time: 'at', rating: 'stars' };
  const source = kind === 'parquet' ? fromTable({ columns }) : movielens;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const { counts } = await prepareDataset({ source, input, output, threads });
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuSeconds: (user + system) / 1e6, peakBytes: peakMemory(), events: counts.events };
}

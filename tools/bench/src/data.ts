import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { duckdb } from '@user-llm/datasets';
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from './benchmark.js';
import { childProgram } from './places.js';
import type { Prepared, Preparation } from './prepare-data.js';
import { writeRawEvents, writeRawRatings, type RawSize } from './raw-events.js';

/** What is prepared, and the goals for it. */
interface Case {
  readonly name: string;
  readonly kind: Preparation['kind'];
  readonly size: RawSize;
  readonly goal: { readonly seconds: number; readonly bytes?: number };
}

const cases: readonly Case[] = [
  {
    name: '100 million events, Parquet',
    kind: 'parquet',
    size: { events: 100_000_000, users: 1_000_000, items: 200_000 },
    goal: { seconds: 60, bytes: 2.5e9 },
  },
  {
    name: '20 million ratings, CSV',
    kind: 'csv',
    size: { events: 20_000_263, users: 138_493, items: 27_278 },
    goal: { seconds: 25 },
  },
];

/** From raw files to canonical events, in a process of its own: time, and the most memory that process held. */
export const data: Benchmark = dataBenchmark(cases, prepareApart);

/**
 * The benchmark on raw files of any size.
 *
 * @param prepare Does the work that is measured.
 */
export function dataBenchmark(
  measured: readonly Case[],
  prepare: (preparation: Preparation) => Promise<Prepared>,
): Benchmark {
  return {
    name: 'data',
    description: 'raw files to canonical events, sorted by user and time',
    run: async ({ threads, progress }: BenchmarkOptions): Promise<BenchmarkResult> => {
      const rows: Record<string, string | number>[] = [];
      const ratios: Record<string, number> = {};
      for (const { name, kind, size, goal } of measured) {
        const folder = await mkdtemp(join(tmpdir(), 'user-llm-bench-'));
        try {
          progress(`writing ${name}`);
          const input = join(folder, 'raw');
          await mkdir(input);
          const file = await (kind === 'parquet' ? writeRawEvents : writeRawRatings)(input, size);
          progress(`preparing ${name}`);
          const load = loadavg()[0]!;
          const output = join(folder, 'data');
          const { seconds, cpuSeconds, peakBytes, events } = await prepare({ kind, input, output, threads });
          if (events !== size.events) throw new Error(`${name}: ${events} events came out of ${size.events}.`);
          rows.push({
            raw: name,
            'raw MB': (await stat(file)).size / 1e6,
            s: seconds,
            'CPU s': cpuSeconds,
            'million events/s': events / seconds / 1e6,
            'peak MB': peakBytes / 1e6,
            'load before': load,
          });
          ratios[`${name}: the goal of ${goal.seconds} s over the time`] = goal.seconds / seconds;
          if (goal.bytes) ratios[`${name}: the goal of ${goal.bytes / 1e9} GB over the peak`] = goal.bytes / peakBytes;
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      }
      return { rows, ratios, versions: { engine: await duckdb().version() } };
    },
  };
}

async function prepareApart(preparation: Preparation): Promise<Prepared> {
  const child = childProgram('prepare-data-child');
  const { stdout } = await promisify(execFile)(process.execPath, [child, JSON.stringify(preparation)]);
  return JSON.parse(stdout) as Prepared;
}

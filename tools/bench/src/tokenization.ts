import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Item } from '@user-llm/plugin';
import {
  BatchLoader,
  defineEventSchema,
  EventTokenizer,
  openParquetTimelines,
  parquetEvents,
  timelinesInMemory,
  type BatchRecipe,
  type TimelineSource,
} from '@user-llm/tokenization';
import type { Benchmark, BenchmarkOptions, BenchmarkResult } from './benchmark.js';
import { peakMemory } from './peak-memory.js';
import { writePreparedEvents, type RawSize } from './raw-events.js';

const goal = 1e6;
const mebibyte = 2 ** 20;
const memoryLimit = 256 * mebibyte;

/** As large as MovieLens-20M. */
const movieLens20M: RawSize = { events: 20_000_263, users: 138_493, items: 27_278 };

const schema = defineEventSchema({
  item: { kind: 'id' },
  genre: { kind: 'multi-id', from: 'item', field: 'categories', slots: 4 },
  rating: { kind: 'ordinal' },
  gap: { kind: 'bucket', from: 'time-gap' },
});

const recipe: BatchRecipe = {
  window: { kind: 'sliding', length: 50, stride: 50 },
  lengthBuckets: [10, 20, 35],
  batchSize: 64,
};

interface Timed {
  readonly what: string;
  readonly events: number;
  readonly seconds: number;
  /** Of all threads of the process, garbage collection included. */
  readonly cpuSeconds: number;
  /** The most memory the process had held when it was done, in bytes. */
  readonly peak: number;
}

/**
 * Events into batches, from memory and from Parquet, on a world as large as MovieLens-20M. Rates are by the seconds of a
 * core that the process took: by the clock they would tell what else the machine did.
 */
export const tokenization: Benchmark = {
  name: 'tokenization',
  description: 'events into batches of item, genres, rating and time gap, on one core',
  run: (options) => measure(options, movieLens20M),
};

/** The benchmark on a world of any size. */
async function measure({ progress }: BenchmarkOptions, size: RawSize): Promise<BenchmarkResult> {
  const folder = await mkdtemp(join(tmpdir(), 'user-llm-bench-'));
  try {
    progress(`writing ${size.events.toLocaleString('en-US')} events`);
    const path = await writePreparedEvents(folder, size);
    const rows: Timed[] = [];
    const time = async <T>(what: string, run: () => Promise<T>, events: (result: T) => number): Promise<T> => {
      progress(what);
      const cpu = process.cpuUsage();
      const start = performance.now();
      const result = await run();
      const seconds = (performance.now() - start) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      rows.push({ what, events: events(result), seconds, cpuSeconds: (user + system) / 1e6, peak: peakMemory() });
      return result;
    };
    const all = () => size.events;
    const counted = (count: number) => count;
    const fit = () => EventTokenizer.fit(schema, { events: parquetEvents(path), items: itemsOf(size.items) });
    const tokenizer = await time('Parquet to vocabularies', fit, all);
    const batches = (source: TimelineSource, more: Partial<BatchRecipe> = {}) =>
      eventsInBatches(new BatchLoader(tokenizer, source, { ...recipe, ...more }), 2 * size.events);
    const streamed = await openParquetTimelines(path, tokenizer, { memoryLimit });
    await time('Parquet to batches, in 256 MiB', () => batches(streamed), counted);
    const whole = await openParquetTimelines(path, tokenizer, { memoryLimit: Infinity });
    const timelines = await time('Parquet to timelines', () => whole.load([0]), all);
    const source = timelinesInMemory(tokenizer, timelines);
    await time('timelines to batches', () => batches(source), counted);
    const slide: Partial<BatchRecipe> = { window: { kind: 'sliding', length: 50, stride: 1 } };
    await time('timelines to batches, windows slide by one', () => batches(source, slide), counted);
    const rate = (what: string) => {
      const { events, cpuSeconds } = rows.find((row) => row.what === what)!;
      return events / cpuSeconds / goal;
    };
    return {
      rows: rows.map(({ what, events, seconds, cpuSeconds, peak }) => ({
        what,
        events,
        s: seconds,
        'CPU s': cpuSeconds,
        'million events / CPU s': events / cpuSeconds / 1e6,
        'peak MiB so far': peak / mebibyte,
      })),
      ratios: {
        'times the goal of 1 million events/s on one core, from timelines': rate('timelines to batches'),
        'times the goal of 1 million events/s on one core, from Parquet': rate('Parquet to batches, in 256 MiB'),
      },
      versions: { hyparquet: hyparquetVersion() },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reads batches until an epoch is over or so many events were in them, and says how many were. */
async function eventsInBatches(loader: BatchLoader<typeof schema>, most: number): Promise<number> {
  let events = 0;
  for await (const { lengths } of loader.batches()) {
    for (const length of lengths.data) events += length;
    if (events >= most) break;
  }
  return events;
}

/** Items with one to four of 20 genres. */
function* itemsOf(count: number): Generator<Item> {
  for (let item = 0; item < count; item++) {
    const categories = Array.from({ length: 1 + (item % 4) }, (_, at) => `genre ${(item * 7 + at * 3) % 20}`);
    yield { item: String(item), categories };
  }
}

function hyparquetVersion(): string {
  const { dependencies } = createRequire(import.meta.url)('@user-llm/tokenization/package.json') as {
    readonly dependencies: { readonly hyparquet: string };
  };
  return dependencies.hyparquet;
}

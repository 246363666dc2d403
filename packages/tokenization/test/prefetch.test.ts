import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BatchLoader,
  EventTokenizer,
  featureKinds,
  openParquetTimelines,
  timelinesInMemory,
  type BatchRecipe,
  type TimelineSource,
} from '../src/index.js';
import { collect } from './support/batches.js';
import { writeEvents } from './support/parquet.js';
import { items, schema, worldOf } from './support/small-world.js';
import { testWorkers, type TestWorkers } from './support/worker.js';

const events = worldOf(60);
const recipe: BatchRecipe = { window: { kind: 'sliding', length: 10, stride: 3 }, batchSize: 16, seed: 2 };
let folder: string;
let path: string;
let workers: TestWorkers;
let tokenizer: EventTokenizer<typeof schema>;

beforeAll(async () => {
  workers = await testWorkers();
  folder = await mkdtemp(join(tmpdir(), 'user-llm-prefetch-'));
  path = join(folder, 'events.parquet');
  await writeEvents(path, events);
  tokenizer = await EventTokenizer.fit(schema, { events, items });
});
afterAll(async () => {
  await workers.dispose();
  await rm(folder, { recursive: true, force: true });
});

const sources: readonly [string, () => Promise<TimelineSource>][] = [
  ['memory', () => Promise.resolve(timelinesInMemory(tokenizer, tokenizer.encode(events)))],
  ['Parquet in shards', () => openParquetTimelines(path, tokenizer, { memoryLimit: 40_000 })],
];

describe.each(sources)('prefetch from %s', (_, open) => {
  const load = async () => new BatchLoader(tokenizer, await open(), recipe);

  it('gives the batches that this thread gives', async () => {
    const here = await collect(await load(), { epochs: 2 });
    const there = await collect(await load(), { epochs: 2, prefetch: { ahead: 3, worker: workers.whole } });
    expect(here.batches.length).toBeGreaterThan(20);
    expect(there).toEqual(here);
  });

  it('says when its worker is killed, and goes on with the batches that would have come', async () => {
    const whole = await collect(await load(), { epochs: 2 });
    const worker = await workers.killedAfter(6);
    const before = await collect(await load(), { epochs: 2, prefetch: { ahead: 2, worker } });
    expect(before.error).toMatchObject({ code: 'worker-ended' });
    expect(before.batches.length).toBeGreaterThanOrEqual(6);
    expect(before.batches.length).toBeLessThan(whole.batches.length);
    const from = before.cursors.at(-1)!;
    const after = await collect(await load(), { epochs: 2, from, prefetch: { ahead: 2, worker: workers.whole } });
    expect(after.error).toBeUndefined();
    expect([...before.batches, ...after.batches]).toEqual(whole.batches);
  });

  it('says what is wrong in the words of its worker', async () => {
    const { cursors } = await collect(await load());
    const from = { ...cursors[0]!, recipe: 'another' };
    const { error } = await collect(await load(), { from, prefetch: { ahead: 1, worker: workers.whole } });
    expect(error).toMatchObject({ code: 'bad-cursor', message: expect.stringContaining('another') as unknown });
  });

  it('ends its worker when the loop is left early', async () => {
    const active = () => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
    const before = active();
    for await (const batch of (await load()).batches({ prefetch: { ahead: 2, worker: workers.whole } })) {
      expect(batch.users.length).toBe(16);
      break;
    }
    expect(active()).toBe(before);
  });
});

it('cannot read Parquet with kinds of feature that a plugin brings', async () => {
  const foreign = { ...featureKinds[0]!, kind: 'foreign' };
  const kinds = [...featureKinds, foreign];
  const other = await EventTokenizer.fit({ item: { kind: 'foreign' } }, { events }, kinds);
  const loader = new BatchLoader(other, await openParquetTimelines(path, other), recipe);
  const { error } = await collect(loader, { prefetch: { ahead: 1, worker: workers.whole } });
  expect(error).toMatchObject({ code: 'feature-not-shareable' });
});

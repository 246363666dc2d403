import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BatchLoader,
  EventTokenizer,
  openParquetTimelines,
  parquetEvents,
  parquetItems,
  timelinesInMemory,
  type BatchRecipe,
  type Timelines,
  type TimelineSource,
} from '../src/index.js';
import { collect } from './support/batches.js';
import { write, writeEvents } from './support/parquet.js';
import { items, schema, worldOf } from './support/small-world.js';

const events = worldOf(200);
const recipe: BatchRecipe = { window: { kind: 'sliding', length: 20, stride: 7 }, batchSize: 16, seed: 5 };
let folder: string;
let path: string;
let tokenizer: EventTokenizer<typeof schema>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'user-llm-parquet-'));
  path = join(folder, 'events.parquet');
  await writeEvents(path, events);
  tokenizer = await EventTokenizer.fit(schema, { events: parquetEvents(path), items });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A limit that so many events fit into: one takes 56 bytes, and 8 for each id of its own. */
const limitFor = (count: number) => count * (56 + 8 * 4);
const usersOf = (timelines: Timelines) =>
  Array.from({ length: timelines.users }, (_, user) => timelines.timeline(user)).sort((a, b) =>
    a.user < b.user ? -1 : 1,
  );

describe('events in Parquet', () => {
  it('teach a tokenizer what the same events in memory do', async () => {
    const inMemory = await EventTokenizer.fit(schema, { events, items });
    expect(tokenizer.hash).toBe(inMemory.hash);
    expect(events.length).toBeGreaterThan(2 * 2048);
  });

  it('are the same timelines in memory, at once, and in shards', async () => {
    const expected = usersOf(tokenizer.encode(events));
    const whole = await openParquetTimelines(path, tokenizer);
    expect(whole.shards).toBe(1);
    expect(usersOf(await whole.load([0]))).toEqual(expected);
    const parted = await openParquetTimelines(path, tokenizer, { memoryLimit: limitFor(1000) });
    expect(parted.shards).toBeGreaterThan(20);
    const shards = await Promise.all(Array.from({ length: parted.shards }, (_, shard) => parted.load([shard])));
    expect(shards.flatMap(usersOf).sort((a, b) => (a.user < b.user ? -1 : 1))).toEqual(expected);
  });

  it('are held in no larger number than the limit allows', async () => {
    const source = await openParquetTimelines(path, tokenizer, { memoryLimit: limitFor(1000) });
    const longest = 60;
    for (let first = 0; first < source.shards; first += source.shardsAtOnce) {
      const shards = [first, first + 1, first + 2, first + 3].filter((shard) => shard < source.shards);
      expect((await source.load(shards)).events).toBeLessThanOrEqual(1000 + longest * source.shardsAtOnce);
    }
  });

  it('give every window once an epoch, in another order each', async () => {
    const loader = new BatchLoader(
      tokenizer,
      await openParquetTimelines(path, tokenizer, { memoryLimit: limitFor(1000) }),
      recipe,
    );
    const inMemory = new BatchLoader(tokenizer, timelinesInMemory(tokenizer, tokenizer.encode(events)), recipe);
    const windows = async (of: typeof loader, epochs: number) => {
      const found: string[] = [];
      for await (const { users, columns, lengths } of of.batches({ epochs })) {
        users.forEach((user, row) => {
          const length = lengths.data[row]!;
          found.push(`${user} ${columns.item.data.slice(row * 20, row * 20 + length).join()}`);
        });
      }
      return found;
    };
    const expected = (await windows(inMemory, 1)).sort();
    const found = await windows(loader, 2);
    const [first, second] = [found.slice(0, expected.length), found.slice(expected.length)];
    expect(second).not.toEqual(first);
    expect(first.sort()).toEqual(expected);
    expect(second.sort()).toEqual(expected);
  });

  it('go on from any cursor with the batches that would have come, across shards and epochs', async () => {
    const open = async () =>
      new BatchLoader(tokenizer, await openParquetTimelines(path, tokenizer, { memoryLimit: limitFor(2000) }), recipe);
    const whole = await collect(await open(), { epochs: 2 });
    expect(new Set(whole.cursors.map(({ group }) => group)).size).toBeGreaterThan(2);
    for (const at of [0, Math.floor(whole.batches.length / 2), whole.batches.length - 2]) {
      const from = JSON.parse(JSON.stringify(whole.cursors[at])) as (typeof whole.cursors)[number];
      const rest = await collect(await open(), { epochs: 2, from });
      expect(rest.batches).toEqual(whole.batches.slice(at + 1));
      expect(rest.cursors).toEqual(whole.cursors.slice(at + 1));
    }
  });
});

describe('a cursor', () => {
  const refusal = async (source: TimelineSource, from: unknown, of: BatchRecipe = recipe) =>
    (await collect(new BatchLoader(tokenizer, source, of), { from: from as never })).error;

  it('is refused with another recipe, limit, file, or data, and when it is none', async () => {
    const source = await openParquetTimelines(path, tokenizer);
    const { cursors } = await collect(new BatchLoader(tokenizer, source, recipe));
    const from = cursors[3]!;
    expect(await refusal(source, from)).toBeUndefined();
    expect(await refusal(source, from, { ...recipe, seed: 6 })).toMatchObject({ code: 'bad-cursor' });
    const shards = await openParquetTimelines(path, tokenizer, { memoryLimit: limitFor(1000) });
    expect(await refusal(shards, from)).toMatchObject({ code: 'bad-cursor' });
    const changed = join(folder, 'changed.parquet');
    await writeEvents(changed, [...events.slice(0, -1), { ...events.at(-1)!, item: 'i0', rating: 5, time: 9e12 }]);
    const other = await openParquetTimelines(changed, tokenizer);
    expect(await refusal(other, from)).toMatchObject({ code: 'bad-cursor' });
    expect(await refusal(source, { ...from, version: 2 })).toMatchObject({ code: 'bad-cursor' });
    expect(await refusal(source, 'here')).toMatchObject({ code: 'bad-cursor' });
  });

  it('is refused when one event in memory is another', async () => {
    const source = timelinesInMemory(tokenizer, tokenizer.encode(events));
    const { cursors } = await collect(new BatchLoader(tokenizer, source, recipe));
    const middle = Math.floor(events.length / 2);
    const changed = events.map((event, at) => (at === middle ? { ...event, item: 'i0', rating: null } : event));
    const other = timelinesInMemory(tokenizer, tokenizer.encode(changed));
    expect(await refusal(other, cursors[3])).toMatchObject({ code: 'bad-cursor' });
  });
});

describe('a Parquet file that will not do', () => {
  it('is reported when it is missing, no Parquet, or without a column', async () => {
    await expect(openParquetTimelines(join(folder, 'none'), tokenizer)).rejects.toMatchObject({ code: 'no-parquet' });
    const text = join(folder, 'text.parquet');
    await writeFile(text, 'user,item,time\n'.repeat(100));
    await expect(openParquetTimelines(text, tokenizer)).rejects.toMatchObject({ code: 'no-parquet' });
    const bare = join(folder, 'bare.parquet');
    await write(bare, `SELECT 'u' AS "user", 'i' AS item, 0::BIGINT AS "time"`);
    await expect(openParquetTimelines(bare, tokenizer)).rejects.toMatchObject({ code: 'missing-column' });
  });

  it('is reported when its pages are damaged', async () => {
    const damaged = join(folder, 'damaged.parquet');
    const bytes = await readFile(path);
    bytes.fill(0xff, 4, 2000);
    await writeFile(damaged, bytes);
    const source = await openParquetTimelines(damaged, tokenizer);
    await expect(source.load([0])).rejects.toMatchObject({ code: 'bad-parquet' });
  });

  it('is reported when users do not stand together and all does not fit', async () => {
    const mixed = join(folder, 'mixed.parquet');
    await writeEvents(
      mixed,
      [...events].sort((a, b) => a.time - b.time),
    );
    expect((await openParquetTimelines(mixed, tokenizer)).shards).toBe(1);
    const small = openParquetTimelines(mixed, tokenizer, { memoryLimit: limitFor(1000) });
    await expect(small).rejects.toMatchObject({ code: 'unsorted-events' });
  });
});

it('reads the items of a data set, categories as lists', async () => {
  const file = join(folder, 'items.parquet');
  const rows = items.map(
    ({ item, title, categories }) => `('${item}', '${title}', [${categories!.map((one) => `'${one}'`).join(',')}])`,
  );
  await write(file, `SELECT * FROM (VALUES ${rows.join(',')}) AS t(item, title, categories)`);
  const read = [];
  for await (const item of parquetItems(file)) read.push(item);
  expect(read).toEqual(items.map(({ item, title, categories }) => ({ item, title, categories })));
});

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  batchOf,
  BatchLoader,
  currentWindows,
  EventTokenizer,
  planWindows,
  timelinesInMemory,
  type BatchRecipe,
  type Split,
  type Timelines,
  type Windows,
} from '../src/index.js';
import { items, schema, worldOf } from './support/small-world.js';

const events = worldOf(80);
const split: Split = { kind: 'leave-last-out', validation: 1, seed: 0 };
let tokenizer: EventTokenizer<typeof schema>;
let timelines: Timelines;

beforeAll(async () => {
  tokenizer = await EventTokenizer.fit(schema, { events, items });
  timelines = tokenizer.encode(events);
});

const listed = ({ count, users, starts, ends }: Windows) =>
  Array.from({ length: count }, (_, at) => [users[at]!, starts[at]!, ends[at]!] as const);

describe('windows', () => {
  it('slide from the last predicted event backwards, and are cut off on the left', () => {
    const window = fc.record({ length: fc.integer({ min: 1, max: 30 }), stride: fc.integer({ min: 1, max: 12 }) });
    fc.assert(
      fc.property(window, fc.boolean(), fc.nat(60), ({ length, stride }, partial, minimumEvents) => {
        const plan = { kind: 'sliding', length, stride, partial } as const;
        const expected = Array.from({ length: timelines.users }, (_, user) => {
          const all = timelines.lengthOf(user);
          const ends: number[] = [];
          for (let end = all - 3; end >= (partial ? 1 : length); end -= stride) ends.unshift(end);
          return all < minimumEvents ? [] : ends.map((end) => [user, Math.max(0, end - length), end] as const);
        }).flat();
        expect(listed(planWindows(timelines, split, 'train', plan, minimumEvents))).toEqual(expected);
      }),
    );
  });

  it('are one per user where the last is asked for', () => {
    const last = listed(planWindows(timelines, split, 'test', { kind: 'last', length: 20, partial: true }));
    expect(last).toEqual(
      Array.from({ length: timelines.users }, (_, user) => user)
        .filter((user) => timelines.lengthOf(user) >= 2)
        .map((user) => [user, Math.max(0, timelines.lengthOf(user) - 21), timelines.lengthOf(user) - 1]),
    );
    const whole = planWindows(timelines, split, 'test', { kind: 'last', length: 20, partial: false });
    expect(whole.count).toBe(last.filter(([, start, end]) => end - start === 20).length);
  });

  it('of now are the last events of every user', () => {
    expect(listed(currentWindows(timelines, 7))).toEqual(
      Array.from({ length: timelines.users }, (_, user) => {
        const length = timelines.lengthOf(user);
        return [user, Math.max(0, length - 7), length];
      }),
    );
  });
});

describe('batches', () => {
  const collect = async (recipe: Partial<BatchRecipe>) => {
    const loader = new BatchLoader(tokenizer, timelinesInMemory(tokenizer, timelines), {
      window: { kind: 'sliding', length: 20, stride: 5 },
      batchSize: 8,
      ...recipe,
    });
    const batches = [];
    for await (const batch of loader.batches()) batches.push(batch);
    return batches;
  };

  it.each(['left', 'right'] as const)('are padded on the %s with 0, and masked there', async (paddingSide) => {
    for (const { columns, labels, mask, lengths } of await collect({ paddingSide })) {
      const width = mask.shape[1]!;
      const there = [...lengths.data].flatMap((length) =>
        Array.from({ length: width }, (_, at) => (paddingSide === 'left' ? at >= width - length : at < length)),
      );
      const used = (ids: Int32Array, slots: number) => there.map((_, at) => ids[at * slots]! > 0);
      expect(Array.from(mask.data, Boolean)).toEqual(there);
      expect(used(columns.item.data, 1)).toEqual(there);
      expect(used(labels.item.data, 1)).toEqual(there);
      expect(used(columns.genre.data, 2)).toEqual(there);
    }
  });

  it('name their axes, with one for several ids of an event', async () => {
    const [{ columns, mask, lengths }] = (await collect({})) as [Awaited<ReturnType<typeof collect>>[number]];
    expect([columns.item.axes, columns.item.shape]).toEqual([
      ['batch', 'event'],
      [8, 20],
    ]);
    expect([columns.genre.axes, columns.genre.shape]).toEqual([
      ['batch', 'event', 'slot'],
      [8, 20, 2],
    ]);
    expect([mask.axes, mask.dtype, lengths.axes]).toEqual([['batch', 'event'], 'bool', ['batch']]);
    expect(columns.item.data).toBeInstanceOf(Int32Array);
  });

  it('hold windows of about the same length, and are no longer than these need', async () => {
    const batches = await collect({ lengthBuckets: [5, 12] });
    const widths = new Set(batches.map(({ mask }) => mask.shape[1]));
    expect([...widths].sort((a, b) => a! - b!)).toEqual([5, 12, 20]);
    for (const { mask, lengths } of batches) {
      const width = mask.shape[1]!;
      const shortest = width === 20 ? 13 : width === 12 ? 6 : 1;
      for (const length of lengths.data) expect(length >= shortest && length <= width).toBe(true);
    }
    const rows = (of: typeof batches) => of.reduce((sum, { users }) => sum + users.length, 0);
    expect(rows(batches)).toBe(rows(await collect({})));
  });

  it('come in order without shuffling, in another with another seed, and never incomplete with dropLast', async () => {
    const order = async (recipe: Partial<BatchRecipe>) => (await collect(recipe)).flatMap(({ users }) => users);
    const plain = await order({ shuffle: false });
    expect(plain).toEqual([...plain].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))));
    expect(await order({ seed: 1 })).not.toEqual(await order({ seed: 2 }));
    const dropped = await collect({ dropLast: true, lengthBuckets: [5, 12] });
    expect(dropped.every(({ users }) => users.length === 8)).toBe(true);
    expect(dropped.length).toBeLessThan((await collect({ lengthBuckets: [5, 12] })).length);
  });

  it('of no window are none', async () => {
    expect(await collect({ minimumEvents: 1000 })).toEqual([]);
  });

  it('of a single call hold all windows, in room for the longest or more', () => {
    const windows = currentWindows(timelines, 9);
    const batch = batchOf<typeof schema>(tokenizer, timelines, windows);
    expect(batch.users).toEqual(timelines.columns.users);
    expect(batch.columns.item.shape).toEqual([timelines.users, 9]);
    expect(batchOf(tokenizer, timelines, windows, { events: 12 }).mask.shape).toEqual([timelines.users, 12]);
    expect(() => batchOf(tokenizer, timelines, windows, { events: 8 })).toThrow(
      expect.objectContaining({ code: 'bad-batch' }),
    );
    expect(batchOf(tokenizer, tokenizer.encode([]), currentWindows(tokenizer.encode([]), 9)).users).toEqual([]);
  });

  it.each([
    { batchSize: 0 },
    { window: { kind: 'sliding', length: 0 } },
    { window: { kind: 'none', length: 5 } },
    { x: 1 },
  ])('are refused for the recipe %j', (wrong) => {
    const recipe = { window: { kind: 'last', length: 5 }, batchSize: 4, ...wrong } as never;
    const make = () => new BatchLoader(tokenizer, timelinesInMemory(tokenizer, timelines), recipe);
    expect(make).toThrow(expect.objectContaining({ code: 'bad-batch-recipe' }));
  });
});

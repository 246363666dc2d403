import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  BatchLoader,
  EventTokenizer,
  formatPaperCounts,
  paperCounts,
  paperProtocol,
  planWindows,
  publishedMovieLens20M,
  timelinesInMemory,
} from '../src/index.js';

/** Users with so many events each. */
async function timelinesOf(lengths: readonly number[]) {
  const events = lengths.flatMap((length, user) =>
    Array.from({ length }, (_, time) => ({ user: `u${user}`, item: `i${time % 7}`, time })),
  );
  const tokenizer = await EventTokenizer.fit({ item: { kind: 'id' } }, { events });
  return { tokenizer, timelines: tokenizer.encode(events) };
}

it('counts the windows that the protocol makes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 20 }), async (lengths) => {
      const { timelines } = await timelinesOf(lengths);
      const { split, window, minimumEvents } = paperProtocol;
      const windows = (part: 'train' | 'validation' | 'test') =>
        planWindows(timelines, split, part, window, minimumEvents).count;
      const counts = paperCounts(lengths, 7);
      expect(counts).toMatchObject({ users: windows('test'), items: 7, trainingExamples: windows('train') });
      expect(windows('validation')).toBe(0);
      for (const { events, users } of counts.thresholds)
        expect(users).toBe(lengths.filter((length) => length >= events).length);
    }),
    { numRuns: 30 },
  );
});

it('reads 50 events and predicts the next, the last never in training', async () => {
  const { tokenizer, timelines } = await timelinesOf([51, 52, 60]);
  const rows = async (part: 'train' | 'test') => {
    const loader = new BatchLoader(tokenizer, timelinesInMemory(tokenizer, timelines), {
      ...paperProtocol,
      part,
      batchSize: 4,
    });
    const found: { user: string; target: number; length: number }[] = [];
    for await (const { users, labels, lengths } of loader.batches())
      users.forEach((user, row) => {
        const target = labels.item.data[row * 50 + 49]!;
        found.push({ user, target, length: lengths.data[row]! });
      });
    return found.sort((a, b) => (a.user < b.user ? -1 : 1));
  };
  const tested = await rows('test');
  const lastOf = (user: number) => timelines.timeline(user).columns['item']!.at(-1)!;
  expect(tested).toEqual([
    { user: 'u1', target: lastOf(1), length: 50 },
    { user: 'u2', target: lastOf(2), length: 50 },
  ]);
  const trained = await rows('train');
  expect(trained.map(({ user }) => user)).toEqual(['u1', ...Array.from({ length: 9 }, () => 'u2')]);
});

it('prints what was found, beside what was published where that is known', () => {
  const found = { ...paperCounts([60, 55, 52, 51, 50], 9), users: 82_985 };
  expect(formatPaperCounts(found)).toMatchInlineSnapshot(`
    "The paper's protocol on these events
    users = test examples       82,985
    items                            9
    training examples               14
      with at least 50 events: 5 users, 18 training examples
      with at least 51 events: 4 users, 14 training examples
      with at least 52 events: 3 users, 11 training examples"
  `);
  expect(formatPaperCounts(found, publishedMovieLens20M)).toMatchInlineSnapshot(`
    "The paper's protocol on MovieLens-20M, found and published
    users = test examples       82,985   published 82,977 (+0.01%)
    items                            9   published 27,280 (-99.97%)
    training examples               14   published 13,821,405 (-100.00%)
      with at least 50 events: 5 users, 18 training examples
      with at least 51 events: 4 users, 14 training examples
      with at least 52 events: 3 users, 11 training examples"
  `);
});

import { beforeAll, describe, expect, it } from 'vitest';
import {
  BatchLoader,
  defineEventSchema,
  EventTokenizer,
  formatPaperCounts,
  paperCounts,
  paperProtocol,
  planWindows,
  publishedMovieLens20M,
  targetRange,
  timelinesInMemory,
  type Split,
  type Timelines,
} from '../src/index.js';
import { movieLens1M, movieLensSmall, musicalInstruments } from './support/slices.js';

const films = defineEventSchema({
  item: { kind: 'id' },
  genre: { kind: 'multi-id', from: 'item', field: 'categories', slots: 4 },
  rating: { kind: 'ordinal' },
  gap: { kind: 'bucket', from: 'time-gap' },
  title: { kind: 'text', from: 'item', slots: 3, minimumCount: 2, hashBuckets: 64 },
});

type Counts = [train: number, validation: number, test: number];

/** Counts of the slices, of which README of the data and the raw files tell. */
const movieLens = [
  { slice: movieLensSmall, events: 100_836, users: 610, items: 9_724, above50: 378, ratings: 10 },
  { slice: movieLens1M, events: 999_611, users: 6_040, items: 3_416, above50: 4_244, ratings: 5 },
] as const;

for (const { slice, events, users, items, above50, ratings } of movieLens) {
  describe.skipIf(!slice.present)(`${slice.name} (skipped when USER_LLM_DATA lacks it)`, () => {
    let tokenizer: EventTokenizer<typeof films>;
    let timelines: Timelines;
    let lengths: number[];

    beforeAll(async () => {
      const data = await slice.read();
      tokenizer = await EventTokenizer.fit(films, data);
      timelines = tokenizer.encode(data.events);
      lengths = Array.from({ length: timelines.users }, (_, user) => timelines.lengthOf(user));
    });

    it('has the counts it is known to have, in timelines and vocabularies', () => {
      expect([timelines.users, timelines.events]).toEqual([users, events]);
      expect(lengths.filter((length) => length > 50).length).toBe(above50);
      expect(tokenizer.sizeOf('item')).toBe(3 + items);
      expect(tokenizer.sizeOf('rating')).toBe(3 + ratings);
      // 18 genres, and on the small set IMAX and "(no genres listed)".
      expect(tokenizer.sizeOf('genre')).toBe(3 + (slice === movieLensSmall ? 20 : 18));
    });

    it('parts every event but the first of each user once', () => {
      const splits: Split[] = [
        { kind: 'leave-last-out', validation: 1, seed: 0 },
        { kind: 'leave-last-out', validation: 0.1, seed: 0 },
        { kind: 'held-out-users', validation: 0.1, test: 0.1, seed: 0 },
      ];
      const predicted = (split: Split) =>
        (['train', 'validation', 'test'] as const).map((part) =>
          lengths.reduce((sum, _, user) => {
            const { from, to } = targetRange(timelines, user, split, part);
            return sum + Math.max(0, to - from);
          }, 0),
        ) as Counts;
      const [everyUser, someUsers, otherUsers] = splits.map(predicted) as [Counts, Counts, Counts];
      for (const counts of [everyUser, someUsers, otherUsers]) {
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(events - users);
      }
      expect(everyUser).toEqual([events - 3 * users, users, users]);
      expect(someUsers[2]).toBe(users);
      expect(Math.abs(someUsers[1]! / users - 0.1)).toBeLessThan(0.03);
    });

    it('makes the windows of the paper, counted in two ways', () => {
      const { split, window, minimumEvents } = paperProtocol;
      const counts = paperCounts(lengths, items);
      expect(counts.thresholds[1]).toMatchObject({ events: 51, users: above50 });
      expect(counts.trainingExamples).toBe(planWindows(timelines, split, 'train', window, minimumEvents).count);
      expect(counts.users).toBe(planWindows(timelines, split, 'test', window, minimumEvents).count);
      expect(formatPaperCounts(counts)).not.toContain('published');
      expect(formatPaperCounts(counts, publishedMovieLens20M)).toContain('published 13,821,405');
    });

    it('comes in batches with every event once where windows do not overlap', async () => {
      const loader = new BatchLoader(tokenizer, timelinesInMemory(tokenizer, timelines), {
        split: { kind: 'leave-last-out', validation: 0 },
        window: { kind: 'sliding', length: 50, stride: 50 },
        lengthBuckets: [10, 20, 35],
        batchSize: 64,
      });
      let seen = 0;
      let unknown = 0;
      for await (const { columns, mask } of loader.batches()) {
        const { data } = mask;
        for (let at = 0; at < data.length; at++) {
          seen += data[at]!;
          if (data[at] === 1 && columns.item.data[at]! <= 1) unknown++;
        }
      }
      // All but the last of each user, which is predicted, and the one before, which is only a label.
      expect(seen).toBe(events - 2 * users);
      expect(unknown).toBe(0);
    });
  });
}

describe.skipIf(!musicalInstruments.present)(`${musicalInstruments.name} (skipped when USER_LLM_DATA lacks it)`, () => {
  it('tells of reviews by the words of their headlines, after JSON too', async () => {
    const { events } = await musicalInstruments.read();
    const schema = defineEventSchema({
      item: { kind: 'id', minimumCount: 5, hashBuckets: 32 },
      headline: { kind: 'text', field: 'summary', slots: 6, maximumSize: 500 },
    });
    const tokenizer = await EventTokenizer.fit(schema, { events });
    expect(tokenizer.sizeOf('headline')).toBe(500);
    const timelines = tokenizer.encode(events);
    expect([timelines.users, timelines.events]).toEqual([1_381, 5_050]);
    const seen = new Set(timelines.columns.eventColumns['headline']);
    expect(seen.size).toBeGreaterThan(490);
    const loaded = EventTokenizer.fromJSON(JSON.parse(JSON.stringify(tokenizer)), schema);
    expect(loaded.encode(events).columns).toEqual(timelines.columns);
  });
});

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatasetSource } from '@user-llm/plugin';
import { describe, expect, it } from 'vitest';
import { amazonReviews, describeDataset, googleLocal, movielens, prepareDataset } from '../src/index.js';
import { realData, testFolder } from './support.js';

/** What is known of a slice. */
interface Slice {
  readonly folder: string;
  readonly source: DatasetSource;
  /** Files within the folder; all when absent. */
  readonly files?: string;
  readonly events: number;
  readonly users: number;
  readonly itemsWithEvents: number;
  readonly items: number;
  /** Mean number of events of a user, as precisely as it is known. */
  readonly mean: string;
  /** Users with more than 50 events. */
  readonly over50?: number;
  /** Times of the first and the last event. */
  readonly time?: { readonly first: string; readonly last: string };
  /** Events with a text and with a headline. */
  readonly texts?: readonly [text: number, summary: number];
}

const slices: readonly Slice[] = [
  {
    folder: 'ml-latest-small',
    source: movielens,
    events: 100_836,
    users: 610,
    itemsWithEvents: 9_724,
    items: 9_742,
    mean: '165',
    over50: 378,
  },
  {
    folder: 'ml-1m',
    source: movielens,
    events: 999_611,
    users: 6_040,
    itemsWithEvents: 3_416,
    items: 3_883,
    mean: '165',
    over50: 4_244,
    // The slice has only the order: times count up from one base in each history.
    time: { first: '2000-04-25T23:05:32.000Z', last: '2000-04-25T23:43:28.000Z' },
  },
  {
    folder: 'amazon-movies-tv',
    source: amazonReviews,
    events: 57_019,
    users: 2_579,
    itemsWithEvents: 3_107,
    items: 3_107,
    mean: '22',
    over50: 195,
    texts: [0, 0],
  },
  {
    folder: 'amazon-musical-instruments',
    source: amazonReviews,
    events: 5_050,
    users: 1_381,
    itemsWithEvents: 392,
    items: 392,
    mean: '3.7',
  },
  {
    folder: 'amazon-gift-cards',
    source: amazonReviews,
    events: 2_972,
    users: 458,
    itemsWithEvents: 148,
    items: 148,
    mean: '6.5',
  },
  {
    folder: 'google-local',
    source: googleLocal,
    files: '{review,meta}-Florida.json.gz',
    events: 9_991,
    users: 9_561,
    itemsWithEvents: 1_568,
    items: 1_568,
    mean: '1.04',
  },
  {
    folder: 'google-local',
    source: googleLocal,
    files: '{review,meta}-States.json.gz',
    events: 30_143,
    users: 29_792,
    itemsWithEvents: 1_237,
    items: 1_754,
    mean: '1.01',
  },
];

describe('real slices', () => {
  for (const { folder, source, files = '', mean, over50, time, texts, ...counts } of slices) {
    it.skipIf(!existsSync(join(realData, folder)))(
      `${folder} ${files}: every row, and the counts that are known (skipped when USER_LLM_DATA lacks ${folder})`,
      async () => {
        const output = join(testFolder(), 'data');
        const manifest = await prepareDataset({ source, input: join(realData, folder, files), output });
        expect(manifest.counts).toMatchObject(counts);
        expect(manifest.rows.events).toEqual({ read: counts.events, bad: {}, duplicates: 0 });
        const card = await describeDataset(output);
        const { histories } = card;
        expect(histories.mean.toFixed(mean.split('.')[1]?.length ?? 0)).toBe(mean);
        if (over50 !== undefined) expect(histories.over50).toBe(over50);
        if (time) expect(manifest.time).toEqual(time);
        if (texts) expect([card.texts.text, card.texts.summary]).toEqual(texts);
        expect(histories.bins.reduce((sum, { users }) => sum + users, 0)).toBe(counts.users);
        expect(card.ratings.reduce((sum, { events }) => sum + events, 0)).toBe(counts.events);
        expect(card.periods.counts.reduce((sum, { events }) => sum + events, 0)).toBe(counts.events);
      },
    );
  }

  it.skipIf(!existsSync(join(realData, 'ml-1m')))(
    'writes the same bytes with one thread and little memory as with two (skipped when USER_LLM_DATA lacks ml-1m)',
    async () => {
      const folder = testFolder();
      const bytes = async (threads: number, memoryLimit: number) => {
        const output = join(folder, `ml-1m-${threads}`);
        const input = join(realData, 'ml-1m');
        await prepareDataset({ source: movielens, input, output, threads, memoryLimit, kCore: 100 });
        return await Promise.all(
          ['events.parquet', 'items.parquet', 'manifest.json'].map((file) => readFile(join(output, file))),
        );
      };
      expect(await bytes(1, 200e6)).toEqual(await bytes(2, 1e9));
    },
    240_000,
  );
});

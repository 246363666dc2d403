import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DatasetSource } from '@user-llm/plugin';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { amazonReviews, googleLocal, movielens, prepareDataset } from '../src/index.js';

const data = process.env['USER_LLM_DATA'] ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url));

/** Counts of the slices: rows, users, items with events. */
const slices: readonly [
  folder: string,
  source: DatasetSource,
  input: string,
  events: number,
  users: number,
  items: number,
][] = [
  ['ml-latest-small', movielens, '', 100_836, 610, 9_724],
  ['ml-1m', movielens, '', 999_611, 6_040, 3_416],
  ['amazon-movies-tv', amazonReviews, '', 57_019, 2_579, 3_107],
  ['amazon-musical-instruments', amazonReviews, '', 5_050, 1_381, 392],
  ['amazon-gift-cards', amazonReviews, '', 2_972, 458, 148],
  ['google-local', googleLocal, '{review,meta}-Florida.json.gz', 9_991, 9_561, 1_568],
  ['google-local', googleLocal, '{review,meta}-States.json.gz', 30_143, 29_792, 1_237],
];

describe('real slices', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'user-llm-slices-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  for (const [name, source, input, events, users, items] of slices) {
    it.skipIf(!existsSync(join(data, name)))(
      `reads every row of ${name} ${input} (skipped when USER_LLM_DATA lacks ${name})`,
      async () => {
        const output = join(folder, `${name}${events}`);
        const manifest = await prepareDataset({ source, input: join(data, name, input), output });
        expect(manifest.counts).toMatchObject({ events, users, itemsWithEvents: items });
        expect(manifest.rows.events).toEqual({ read: events, bad: {}, duplicates: 0 });
      },
    );
  }

  it.skipIf(!existsSync(join(data, 'ml-1m')))(
    'writes the same bytes with one thread and little memory as with two (skipped when USER_LLM_DATA lacks ml-1m)',
    async () => {
      const bytes = async (threads: number, memoryLimit: number) => {
        const output = join(folder, `ml-1m-${threads}`);
        await prepareDataset({ source: movielens, input: join(data, 'ml-1m'), output, threads, memoryLimit });
        return await Promise.all(
          ['events.parquet', 'items.parquet', 'manifest.json'].map((file) => readFile(join(output, file))),
        );
      };
      expect(await bytes(1, 200e6)).toEqual(await bytes(2, 1e9));
    },
  );
});

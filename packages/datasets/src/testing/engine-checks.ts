import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TableEngine } from '@user-llm/plugin';
import { demand, type Check } from '@user-llm/plugin/testing';
import { UserLlmError } from '@user-llm/tensor';
import { openDataset, type Dataset } from '../prepare/manifest.js';
import type { PrepareOptions } from '../prepare/options.js';
import { prepareDataset } from '../prepare/prepare-dataset.js';
import {
  exampleBad,
  exampleEvents,
  exampleItems,
  exampleSource,
  readParquet,
  writeExample,
  type ExampleFormat,
} from './raw-example.js';

type Shape = Pick<PrepareOptions, 'kCore' | 'minHistory' | 'duplicates' | 'maxBadRowShare'>;

/**
 * What every engine of tables must do: make of the same raw files, in each format, the same canonical rows in the same
 * order, count and list what it cannot use, and filter.
 */
export function tableEngineChecks(engine: TableEngine): readonly Check[] {
  const check = (
    name: string,
    format: ExampleFormat,
    shape: Shape,
    judge: (dataset: Dataset, scratch: string) => Promise<void>,
  ): Check => ({
    name,
    run: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'user-llm-engine-'));
      try {
        const [input, output, scratch] = ['raw', 'data', 'scratch'].map((each) => join(folder, each)) as [
          string,
          string,
          string,
        ];
        await mkdir(scratch);
        await writeExample(input, format);
        const source = exampleSource(format);
        await prepareDataset({ source, input, output, engine, threads: 1, maxBadRowShare: 1, ...shape });
        await judge(await openDataset(output), scratch);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  });
  const same = (what: string, expected: unknown, got: unknown) => {
    const [wanted, found] = [JSON.stringify(expected), JSON.stringify(got)];
    demand(wanted === found, what, wanted, found);
  };
  const users = async ({ paths }: Dataset, scratch: string) =>
    (await readParquet(scratch, paths.events)).map((row) => (row as { user: string }).user);

  return [
    ...(['csv', 'jsonl', 'parquet'] as const).flatMap((format) => [
      check(`${format}: the same rows in the same order`, format, {}, async ({ paths }, scratch) => {
        same('events', exampleEvents, await readParquet(scratch, paths.events));
        same('items', exampleItems, await readParquet(scratch, paths.items));
      }),
      check(`${format}: bad rows and duplicates are counted and listed`, format, {}, async ({ manifest, paths }) => {
        const { events, items } = manifest.rows;
        same('rows read', [14, 4], [events.read, items.read]);
        same('bad rows', sorted(exampleBad), sorted(events.bad));
        same('duplicates', [1, 1], [events.duplicates, items.duplicates]);
        const listed = await readFile(join(paths.events, '../bad-rows.jsonl'), 'utf8');
        const places = listed
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { row: number; reason: string });
        same(
          'rows listed',
          [6, 7, 8, 9, 10, 11, 12],
          places.map(({ row }) => row),
        );
        same('first reason', 'user-missing', places[0]?.reason);
      }),
    ]),
    check('duplicates are kept when that is asked for', 'csv', { duplicates: 'keep' }, async (dataset, scratch) => {
      same('events', ['9', '9', '9', '10', '10', '10', 'lone'], await users(dataset, scratch));
    }),
    check('users with few events are dropped', 'csv', { minHistory: 3 }, async (dataset, scratch) => {
      same('events', ['10', '10', '10'], await users(dataset, scratch));
      same('items', 4, dataset.manifest.counts.items);
    }),
    check(
      'the 2-core has two events of everyone',
      'csv',
      { kCore: 2, duplicates: 'keep' },
      async (dataset, scratch) => {
        same('events', ['9', '9'], await users(dataset, scratch));
        same('items', [1, 1], [dataset.manifest.counts.items, dataset.manifest.counts.itemsWithEvents]);
      },
    ),
    {
      name: 'more bad rows than allowed are an error',
      run: async () => {
        const { run } = check('', 'jsonl', { maxBadRowShare: 0.01 }, () => Promise.resolve());
        const error: unknown = await run().then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        demand(UserLlmError.isInstance(error, 'too-many-bad-rows'), 'bad rows', 'too-many-bad-rows', String(error));
      },
    },
  ];
}

const sorted = (counts: Readonly<Record<string, number | undefined>>) => Object.entries(counts).sort();

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatasetSource } from '@user-llm/plugin';
import { describe, expect, it } from 'vitest';
import { amazonReviews, clickhouse, fromTable, googleLocal, movielens, prepareDataset } from '../src/index.js';
import { rawFiles, realData, rowsOf, testFolder } from './support.js';

const chdb = await import('chdb').then(
  () => true,
  () => false,
);
const slices: readonly [source: DatasetSource, folder: string, files: string][] = [
  [movielens, 'ml-latest-small', ''],
  [amazonReviews, 'amazon-gift-cards', ''],
  [googleLocal, 'google-local', '{review,meta}-Florida.json.gz'],
];

describe.skipIf(!chdb)('ClickHouse (skipped where chdb cannot be loaded)', () => {
  for (const [source, name, files] of slices) {
    it.skipIf(!existsSync(join(realData, name)))(
      `makes the rows of DuckDB of ${name} (skipped when USER_LLM_DATA lacks ${name})`,
      async () => {
        const folder = testFolder();
        const prepared = { source, input: join(realData, name, files), kCore: name === 'google-local' ? 1 : 3 };
        const [duck, click] = [join(folder, 'duckdb'), join(folder, 'clickhouse')];
        const { madeBy: by, files: made, ...expected } = await prepareDataset({ ...prepared, output: duck });
        const {
          madeBy,
          files: _,
          ...manifest
        } = await prepareDataset({ ...prepared, output: click, engine: clickhouse() });
        expect(manifest).toEqual({
          ...expected,
          counts: { ...expected.counts, filterRounds: manifest.counts.filterRounds },
        });
        expect(madeBy.engine).toMatch(/^ClickHouse \d/);
        for (const table of ['events', 'items'] as const) {
          expect((await rowsOf(click, table)).length).toBe(made[`${table}.parquet`].rows);
          expect(await rowsOf(click, table)).toEqual(await rowsOf(duck, table));
        }
        expect(by.engine).toMatch(/^DuckDB/);
      },
      120_000,
    );
  }

  it('reads values parted by several characters, and says which rows are short', async () => {
    const rows = Array.from({ length: 300 }, (_, n) => `${n}::${n % 7}::3.5::${1000 + n}\n`).join('');
    const paths = rawFiles({
      'ratings.dat': `${rows}1::2\n`,
      'movies.dat': '1::Heat (1995)::Action|"Crime"\n2::Seven :: (1995)::Crime\n',
    });
    const failed = prepareDataset({ source: movielens, ...paths, engine: clickhouse() });
    await expect(failed).rejects.toMatchObject({ code: 'too-many-bad-rows' });
    const manifest = await prepareDataset({ source: movielens, ...paths, engine: clickhouse(), maxBadRowShare: 1 });
    expect(manifest.rows).toMatchObject({
      events: { read: 301, bad: { 'unreadable-row': 1 } },
      items: { read: 2, bad: { 'unreadable-row': 1 } },
    });
  });

  it('fails with errors of ours, and can be used again', async () => {
    const source = fromTable({ columns: { user: 'who', item: 'what', time: 'at' } });
    const broken = rawFiles({ 'clicks.parquet': 'no Parquet' });
    await expect(prepareDataset({ source, ...broken, engine: clickhouse() })).rejects.toMatchObject({
      code: 'engine-failed',
    });
    const good = rawFiles({ 'clicks.csv': 'who,what,at\n1,a,5\n' });
    expect((await prepareDataset({ source, ...good, engine: clickhouse() })).counts.events).toBe(1);
  });

  it('takes a connection of the caller', async () => {
    const connection = { run: () => Promise.reject(new Error('the server is away')), close: () => Promise.resolve() };
    const engine = clickhouse({ connect: () => Promise.resolve(connection) });
    const source = fromTable({ columns: { user: 'who', item: 'what', time: 'at' } });
    const failed = prepareDataset({ source, ...rawFiles({ 'clicks.csv': 'who,what,at\n1,a,5\n' }), engine });
    await expect(failed).rejects.toThrow('the server is away');
  });
});

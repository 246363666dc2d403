import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromTable, openDataset, prepareDataset } from '@user-llm/datasets';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { publishedCounts } from '../src/data/paper-counts.js';
import { main } from '../src/index.js';

const folder = mkdtempSync(join(tmpdir(), 'user-llm-paper-'));
const data = join(folder, 'data');
const lengths = [60, 52, 51, 3];

beforeAll(async () => {
  const rows = lengths.flatMap((length, user) =>
    Array.from({ length }, (_, at) => `u${user},i${at % 5},${1_600_000_000 + at}`),
  );
  writeFileSync(join(folder, 'events.csv'), ['user,item,time', ...rows, ''].join('\n'));
  const source = fromTable({ columns: { user: 'user', item: 'item', time: 'time' } });
  await prepareDataset({ source, input: join(folder, 'events.csv'), output: data });
}, 60_000);
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

it('stand beside the published ones on the data set that these are of, and nowhere else', async () => {
  const dataset = await openDataset(data);
  const published = { name: 'Made-up-166', rawEvents: 166, users: 4, items: 5, trainingExamples: 10 };
  expect(await publishedCounts(dataset, published)).toMatchInlineSnapshot(`
    "The paper's protocol on Made-up-166, found and published
    users = test examples            2   published 4 (-50.00%)
    items                            5   published 5 (+0.00%)
    training examples               10   published 10 (+0.00%)
      with at least 50 events: 3 users, 13 training examples
      with at least 51 events: 3 users, 10 training examples
      with at least 52 events: 2 users, 8 training examples
    "
  `);
  expect(await publishedCounts(dataset)).toBe('');
});

it('are printed by a run on MovieLens-20M', async () => {
  const path = join(data, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as { rows: { events: { read: number } } };
  manifest.rows.events.read = 20_000_263;
  writeFileSync(path, JSON.stringify(manifest));
  const events = { item: { kind: 'id' } };
  const encoder = { name: 'autoregressive', config: { width: 8, layers: 1, heads: 1, maximumEvents: 8 } };
  const stages = [{ kind: 'pretrain', budget: { steps: 1 }, batchSize: 2 }];
  const config = { model: { events, encoder }, data: { dataset: 'data' }, stages, threads: 1 };
  writeFileSync(join(folder, 'run.json'), JSON.stringify(config));
  let said = '';
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => Boolean((said += String(text))));
  expect(await main(['run', join(folder, 'run.json'), '--out', join(folder, 'out')])).toBe(0);
  expect(said).toMatch(/^The paper's protocol on MovieLens-20M/m);
  expect(said).toMatch(/users = test examples +2 {3}published 82,977/);
}, 60_000);

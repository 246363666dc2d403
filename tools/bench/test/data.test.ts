import { expect, it } from 'vitest';
import { dataBenchmark } from '../src/data.js';
import { prepareMeasured } from '../src/prepare-data.js';

it('prepares raw files of each kind and compares with the goals', async () => {
  const size = { events: 20_000, users: 300, items: 100 };
  const benchmark = dataBenchmark(
    [
      { name: 'a log', kind: 'parquet', size, goal: { seconds: 60, bytes: 2.5e9 } },
      { name: 'ratings', kind: 'csv', size, goal: { seconds: 25 } },
    ],
    prepareMeasured,
  );
  const said: string[] = [];
  const { rows, ratios } = await benchmark.run({ threads: 1, progress: (line) => said.push(line) });
  expect(said).toEqual(['writing a log', 'preparing a log', 'writing ratings', 'preparing ratings']);
  expect(rows.map(({ raw }) => raw)).toEqual(['a log', 'ratings']);
  for (const row of rows) expect(row['million events/s']).toBeGreaterThan(0);
  expect(Object.keys(ratios)).toEqual([
    'a log: the goal of 60 s over the time',
    'a log: the goal of 2.5 GB over the peak',
    'ratings: the goal of 25 s over the time',
  ]);
}, 60_000);

it('fails when events are lost', async () => {
  const size = { events: 100, users: 10, items: 10 };
  const benchmark = dataBenchmark([{ name: 'a log', kind: 'parquet', size, goal: { seconds: 60 } }], () =>
    Promise.resolve({ seconds: 1, cpuSeconds: 1, peakBytes: 1, events: 99 }),
  );
  await expect(benchmark.run({ threads: 1, progress: () => undefined })).rejects.toThrow('99 events came out of 100');
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatasetSource } from '@user-llm/plugin';
import { describe, expect, it } from 'vitest';
import { amazonReviews, clickhouse, duckdb, googleLocal, movielens, simulated } from '../src/index.js';
import { datasetSourceChecks, tableEngineChecks } from '../src/testing/index.js';
import { realData } from './support.js';

describe('the engine on DuckDB', () => {
  for (const check of tableEngineChecks(duckdb())) it(check.name, () => check.run());
});

const sources: readonly [source: DatasetSource, sample: string][] = [
  [movielens, 'ml-latest-small'],
  [amazonReviews, 'amazon-gift-cards'],
  [googleLocal, 'google-local/{review,meta}-Florida.json.gz'],
];

const chdb = await import('chdb').then(
  () => true,
  () => false,
);

describe('the engine on ClickHouse', () => {
  for (const check of tableEngineChecks(clickhouse())) {
    it.skipIf(!chdb)(`${check.name} (skipped where chdb cannot be loaded)`, () => check.run());
  }
});

describe('our sources', () => {
  for (const check of datasetSourceChecks(simulated({ users: 20, items: 40, events: 200 }))) {
    it(`simulate: ${check.name}`, () => check.run());
  }
  for (const [source, sample] of sources) {
    const missing = !existsSync(join(realData, sample.split('/')[0]!));
    for (const check of datasetSourceChecks(source, join(realData, sample))) {
      it.skipIf(missing)(`${source.name}: ${check.name} (skipped when USER_LLM_DATA lacks ${sample})`, () =>
        check.run(),
      );
    }
  }
});

describe('the suites', () => {
  it.each([
    ['a name of another form', { name: 'Our Shop' }],
    ['a column of another form', { locate: columns({ 'Stars!': { kind: 'number', from: 'stars' } }) }],
    ['bad rows', { locate: columns({ rating: { kind: 'number', from: 'item' } }) }],
    ['files made in an order of their own', { locate: shuffled() }],
  ])('refuse a source with %s', async (_, wrong) => {
    const source: DatasetSource = { ...simulated({ users: 5, items: 20, events: 40 }), ...wrong };
    const verdicts = await Promise.allSettled(datasetSourceChecks(source).map((check) => check.run()));
    const refusals = verdicts.filter(({ status }) => status === 'rejected');
    expect(refusals.length).toBeGreaterThan(0);
  });

  it('refuse an engine that sorts by user alone', async () => {
    const engine = duckdb();
    const careless: typeof engine = {
      ...engine,
      open: async (settings) => {
        const session = await engine.open(settings);
        return Object.assign(Object.create(session) as typeof session, {
          filter: () => session.filter({ user: 1, item: 1 }),
          stageEvents: (...given: Parameters<typeof session.stageEvents>) =>
            session.stageEvents({ ...given[0], files: given[0].files.toReversed() }, given[1]),
        });
      },
    };
    const verdicts = await Promise.allSettled(tableEngineChecks(careless).map((check) => check.run()));
    const refused = verdicts.flatMap((verdict) => (verdict.status === 'rejected' ? [verdict.reason as object] : []));
    expect(refused.length).toBeGreaterThan(3);
    for (const reason of refused) expect(reason).toMatchObject({ code: 'not-conforming' });
  });
});

/** The simulated world with some columns more. */
function columns(more: object): DatasetSource['locate'] {
  return async (input) => {
    const raw = await simulated({ users: 5, items: 20, events: 40 }).locate(input);
    return { ...raw, events: { ...raw.events, columns: { ...raw.events.columns, ...more } } };
  };
}

/** Another world at each call. */
function shuffled(): DatasetSource['locate'] {
  let seed = 0;
  return (input) => simulated({ users: 5, items: 20, events: 40, seed: seed++ }).locate(input);
}

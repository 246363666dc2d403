import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parseRunConfig, runTraining } from '../src/index.js';
import { testRuntime } from './support.js';
import { tinyData, tinyModel } from './tiny-run.js';

const runtime = testRuntime();
const folder = mkdtempSync(join(tmpdir(), 'a-team-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** An encoder and a compressor of a team's own: the running mean of a user's items, and one latent of it. */
const source = `
import { cast, cumulativeSum, divide, embed, greater, linearCrossEntropy, matmulTransposed, maximum, multiply, parameter,
  reshape, sum, where } from '@user-llm/graph';
import { definePlugin } from '@user-llm/plugin';

/** A Standard Schema that takes a width and nothing else. */
const config = {
  '~standard': {
    version: 1,
    vendor: 'a-team',
    validate: (value) => Number.isInteger(value.width) && Object.keys(value).length === 1
      ? { value }
      : { issues: [{ message: 'must be a whole number, and the only field', path: ['width'] }] },
  },
};

const count = (mask) => cast(mask, 'float32');

const runningMean = {
  specVersion: 1,
  name: 'running-mean',
  config,
  build: ({ width }, { features, item }) => {
    const { size } = features.find(({ name }) => name === item);
    const initializer = { kind: 'normal', standardDeviation: 0.1 };
    const means = ({ items }, { features, mask }) => {
      const known = where(mask, embed(items, features[item]), 0);
      return divide(cumulativeSum(known, 'event'), maximum(cumulativeSum(count(mask), 'event'), 1));
    };
    return {
      parameters: { items: parameter(['item', 'userWidth'], [size, width], initializer) },
      userWidth: width,
      maximumEvents: 12,
      apply: (own, batch) => ({ events: means(own, batch), mask: batch.mask }),
      loss: (own, batch) => linearCrossEntropy(means(own, batch), own.items, batch.labels[item], { ignore: 0 }),
      nextItem: (own, { features, mask }) => {
        const total = sum(where(mask, embed(own.items, features[item]), 0), 'event');
        return matmulTransposed(divide(total, maximum(sum(count(mask), 'event'), 1)), own.items);
      },
    };
  },
};

const scaledMean = {
  specVersion: 1,
  name: 'scaled-mean',
  config: { '~standard': { version: 1, vendor: 'a-team', validate: (value) => ({ value }) } },
  build: (_, userWidth) => ({
    parameters: { scale: parameter(['userWidth'], [userWidth], { kind: 'constant', value: 1 }) },
    apply: ({ scale }, { events, mask }) => {
      const events_B = sum(count(mask), 'event');
      const mean = multiply(divide(sum(where(mask, events, 0), 'event'), maximum(events_B, 1)), scale);
      const batch = events.shape[0];
      return {
        latents: reshape(mean, ['batch', 'latent', 'userWidth'], [batch, 1, userWidth]),
        mask: reshape(greater(events_B, 0), ['batch', 'latent'], [batch, 1]),
      };
    },
  }),
};

export default definePlugin({ name: 'a-team', specVersion: 1, encoders: [runningMean], compressors: [scaledMean] });
`;

describe('a plugin outside the repository', () => {
  it('has under 80 lines, and trains by a config', async () => {
    expect(source.trim().split('\n').length).toBeLessThan(80);
    const module = join(folder, 'plugin.mjs');
    writeFileSync(module, source);
    // What `npm install` would put there.
    mkdirSync(join(folder, 'node_modules'));
    const installed = join(dirname(fileURLToPath(import.meta.url)), '../../../node_modules/@user-llm');
    symlinkSync(installed, join(folder, 'node_modules/@user-llm'));
    const config = parseRunConfig({
      plugins: [module],
      model: {
        ...tinyModel,
        encoder: { name: 'running-mean', config: { width: 8 } },
        compressor: { name: 'scaled-mean' },
      },
      text: { kind: 'train', vocabularySize: 320 },
      stages: [
        {
          kind: 'pretrain',
          budget: { steps: 40 },
          batchSize: 8,
          optimizer: { learningRate: 0.02 },
          validation: { every: 20 },
        },
        {
          kind: 'tune',
          strategy: 'proj',
          budget: { steps: 4 },
          batchSize: 4,
          maximumTokens: 64,
          tasks: [{ name: 'favourite-genre' }],
        },
      ],
    });
    const result = await runTraining(
      { config, plugins: [] },
      { folder: join(folder, 'run'), data: await tinyData(), runtime: await runtime() },
    );
    expect(result.status).toBe('done');
    const { pretrain } = Object.fromEntries(result.stages.map((stage) => [stage.stage, stage]));
    // By chance one of the 24 items would be worth 0.19.
    expect(pretrain!.best!.value).toBeGreaterThan(0.19);
    const manifest = JSON.parse(readFileSync(join(folder, 'run/model/model.json'), 'utf8')) as { plugins: string[] };
    expect(manifest.plugins).toEqual(['a-team']);
  }, 60_000);

  it('has its own config checked', async () => {
    const config = parseRunConfig({
      plugins: [join(folder, 'plugin.mjs')],
      model: { events: tinyModel.events, encoder: { name: 'running-mean', config: { width: 'wide' } } },
      stages: [{ kind: 'pretrain', budget: { steps: 1 } }],
    });
    const options = { folder: join(folder, 'bad'), data: await tinyData(), runtime: await runtime() };
    const running = runTraining({ config, plugins: [] }, options);
    await expect(running).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining('width') });
  });
});

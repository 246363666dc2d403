import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CheckpointStore } from '../src/index.js';
import { bitsOf, testFolder, testRuntime, trainSmall } from './support.js';

const folder = testFolder();
const runtime = testRuntime();

describe.each([
  ['fused', {}],
  ['split, of three batches a step', { accumulate: 3 }],
  ['sgd with momentum', { name: 'sgd', options: { momentum: 0.9 }, clip: null }],
])('resume: steps %s', (name, optimizer) => {
  it('gives the bits of a run that was never stopped', async () => {
    const whole = await trainSmall(await runtime(), join(folder, name, 'whole'), { optimizer });
    const parts = join(folder, name, 'parts');
    for (const stopAfter of [1, 5, 9]) {
      const stop = new AbortController();
      const result = await trainSmall(await runtime(), parts, {
        optimizer,
        signal: stop.signal,
        onProgress: ({ phase, step }) => void (phase === 'train' && step === stopAfter && stop.abort()),
      });
      expect(result.ended).toBe('stopped');
      expect(result.place.step).toBe(stopAfter);
    }
    const last = await trainSmall(await runtime(), parts, { optimizer });
    expect(last.ended).toBe('budget');
    expect(bitsOf(last.parameters)).toEqual(bitsOf(whole.parameters));
    expect({ ...last.place, seconds: 0 }).toEqual({ ...whole.place, seconds: 0 });
  });
});

describe('resume', () => {
  it('refuses a checkpoint of another config', async () => {
    const place = join(folder, 'mismatch');
    await trainSmall(await runtime(), place, {
      budget: { steps: 2 },
      validation: { every: 2, metric: 'sum', better: 'higher', patience: null },
    });
    const other = new CheckpointStore(join(place, 'checkpoints'), 'another config');
    await expect(trainSmall(await runtime(), place, { checkpoints: other })).rejects.toMatchObject({
      code: 'checkpoint-mismatch',
    });
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CheckpointStore, type TrainingProgress } from '../src/index.js';
import { createRegistry, definePlugin, type OptimizerPlugin } from '@user-llm/plugin';
import { sgd } from '@user-llm/optimizers';
import { maxDifference, type Tensor } from '@user-llm/tensor';
import { z } from 'zod';
import { smallTask } from './small-task.js';
import { bitsOf, testFolder, testRuntime, trainSmall } from './support.js';

const folder = testFolder();
const runtime = testRuntime();

/** The largest difference of any number. */
function difference(got: Readonly<Record<string, Tensor>>, expected: Readonly<Record<string, Tensor>>): number {
  return Math.max(...Object.entries(expected).map(([name, tensor]) => maxDifference(got[name]!, tensor)));
}

describe('training', () => {
  it('lowers the loss, and tells rate, remaining time and figures', async () => {
    const told: TrainingProgress[] = [];
    const logged: (readonly [number, Readonly<Record<string, number>>])[] = [];
    const result = await trainSmall(await runtime(), join(folder, 'told'), {
      onProgress: (progress) => void told.push(progress),
      log: (step, figures) => void logged.push([step, figures]),
    });
    expect(result).toMatchObject({ ended: 'budget', place: { step: 12, examples: 84 } });
    const steps = told.filter(({ phase }) => phase === 'train');
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(steps.at(-1)).toMatchObject({ stage: 'small', steps: 12, share: 1, secondsLeft: 0 });
    expect(steps[4]!.examplesPerSecond).toBeGreaterThan(0);
    expect(Object.keys(logged[0]![1])).toEqual(['loss', 'gradientNorm', 'learningRate', 'examplesPerSecond']);
    expect(logged.map(([step]) => step)).toEqual(steps.map(({ step }) => step));
  });

  it('does not move by one bit what is not trained', async () => {
    const task = smallTask();
    const before = await trainSmall(await runtime(), join(folder, 'none'), { task, budget: { steps: 1 } });
    const part = await trainSmall(await runtime(), join(folder, 'part'), {
      task,
      trains: (name) => name.startsWith('head'),
    });
    expect(Object.keys(before.parameters)).toEqual(['body.weight', 'head.weight', 'gates.gate']);
    expect(Object.keys(part.parameters)).toEqual(['head.weight']);
  });

  it('says when a strategy trains nothing that the loss reads', async () => {
    const training = trainSmall(await runtime(), join(folder, 'nothing'), {
      trains: (name) => name.startsWith('unread'),
    });
    await expect(training).rejects.toMatchObject({ code: 'nothing-to-train' });
  });

  it('accumulates: two batches of four a step are one of eight', async () => {
    const budget = { steps: 6 };
    const whole = await trainSmall(await runtime(), join(folder, 'eight'), {
      task: smallTask({ rate: 0, rows: 8 }),
      budget,
    });
    const split = await trainSmall(await runtime(), join(folder, 'four-twice'), {
      task: smallTask({ rate: 0, rows: 4 }),
      optimizer: { accumulate: 2 },
      budget,
    });
    expect(split.place).toMatchObject({ step: 6, examples: 48, cursor: 12 });
    expect(difference(split.parameters, whole.parameters)).toBeLessThan(1e-5);
  });

  it('takes an optimizer of a plugin, with the schedule and clipping of the config', async () => {
    const plain: OptimizerPlugin<{ learningRate: number }> = {
      specVersion: 1,
      name: 'plain',
      config: z.looseObject({ learningRate: z.number() }),
      build: ({ learningRate }) => sgd({ learningRate }),
    };
    const registry = createRegistry([definePlugin({ name: 'a-team', specVersion: 1, optimizers: [plain] })]);
    const settings = { learningRate: 0.1, schedule: { kind: 'linear', warmUpSteps: 3 }, weightDecay: 0, clip: 0.5 };
    const own = await trainSmall(await runtime(), join(folder, 'own'), { optimizer: { name: 'sgd', ...settings } });
    const theirs = await trainSmall(await runtime(), join(folder, 'theirs'), {
      optimizer: { name: 'plain', ...settings },
      registry,
    });
    expect(difference(theirs.parameters, own.parameters)).toBeLessThan(1e-6);
  });

  it('keeps the best parameters and ends when they get no better', async () => {
    const values = [1, 3, 2, 2.5, 9];
    let taken = 0;
    const task = { ...smallTask(), validate: () => Promise.resolve({ score: values[taken++]! }) };
    const result = await trainSmall(await runtime(), join(folder, 'patient'), {
      task,
      validation: { every: 2, metric: 'score', better: 'higher', patience: 2 },
    });
    expect(result).toMatchObject({ ended: 'patience', place: { step: 8, best: { value: 3, step: 4 }, sinceBest: 2 } });
    const four = await trainSmall(await runtime(), join(folder, 'four'), {
      optimizer: { schedule: { kind: 'constant' } },
      budget: { steps: 4 },
    });
    const same = await trainSmall(await runtime(), join(folder, 'best'), {
      task: { ...task, validate: () => Promise.resolve({ score: -taken++ }) },
      optimizer: { schedule: { kind: 'constant' } },
      validation: { every: 4, metric: 'score', better: 'higher', patience: null },
    });
    expect(same.place.best?.step).toBe(4);
    expect(bitsOf(same.parameters)).toEqual(bitsOf(four.parameters));
  });

  it('names the figures there are when the metric asked for is none', async () => {
    const validation = { every: 2, metric: 'ndcg', better: 'higher', patience: null } as const;
    const training = trainSmall(await runtime(), join(folder, 'metric'), { validation });
    await expect(training).rejects.toMatchObject({ code: 'unknown-metric', message: expect.stringContaining('sum') });
  });

  it.each([
    ['fused', 1],
    ['split', 2],
  ])('stops at a number that is not finite and writes down the batch (%s)', async (name, accumulate) => {
    const place = join(folder, `broken-${name}`);
    const training = trainSmall(await runtime(), place, { task: smallTask({ broken: 5 }), optimizer: { accumulate } });
    const step = accumulate === 1 ? 5 : 2;
    const file = join(place, `not-finite-step-${step}.json`);
    await expect(training).rejects.toMatchObject({ code: 'training-diverged', message: expect.stringContaining(file) });
    const { batches } = JSON.parse(readFileSync(file, 'utf8')) as { batches: { contents: unknown; feeds: object }[] };
    expect(batches.at(-1)!.contents).toEqual({ users: ['user of batch 5'] });
    expect(Object.keys(batches.at(-1)!.feeds)).toEqual(['x', 'y']);
    // The last checkpoint holds what was good.
    const kept = await trainSmall(await runtime(), place, { budget: { steps: step }, optimizer: { accumulate } });
    expect(kept.place.step).toBe(step);
  });

  it('stops at a figure on held-out data that is not finite, and keeps the checkpoint before', async () => {
    const place = join(folder, 'broken-figure');
    const values = [2, Number.NaN, Infinity];
    const task = { ...smallTask(), validate: () => Promise.resolve({ score: values.shift()! }) };
    const validation = { every: 2, metric: 'score', better: 'higher', patience: null } as const;
    for (const told of ['score NaN', 'score Infinity']) {
      const training = trainSmall(await runtime(), place, { task, validation });
      await expect(training).rejects.toMatchObject({
        code: 'training-diverged',
        message: expect.stringContaining(told),
      });
      const last = await new CheckpointStore(join(place, 'checkpoints'), 'config').load('last');
      expect(last?.place).toMatchObject({ step: 2, best: { value: 2, step: 2 } });
    }
  });

  it.each([1e39, 1e25])('does not end with parameters that one huge step has broken (%d)', async (learningRate) => {
    const place = join(folder, `huge-step-${learningRate}`);
    const training = trainSmall(await runtime(), place, {
      optimizer: { learningRate, schedule: { kind: 'constant' } },
      budget: { steps: 1 },
    });
    await expect(training).rejects.toMatchObject({
      code: 'training-diverged',
      message: expect.stringContaining('finite parameters'),
    });
    expect(await new CheckpointStore(join(place, 'checkpoints'), 'config').load('last')).toBeUndefined();
  });

  it('ends by its minutes, and counts them over all sessions', async () => {
    const place = join(folder, 'minutes');
    const budget = { minutes: 0.002 };
    const first = await trainSmall(await runtime(), place, { budget });
    expect(first.ended).toBe('budget');
    expect(first.place.seconds).toBeGreaterThanOrEqual(0.12);
    const again = await trainSmall(await runtime(), place, { budget });
    expect(again.place).toEqual(first.place);
  });
});

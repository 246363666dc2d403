import { join } from 'node:path';
import { initializeParameters } from '@user-llm/graph';
import { sgd } from '@user-llm/optimizers';
import { createRegistry, definePlugin, type OptimizerPlugin } from '@user-llm/plugin';
import { Random, type Tensor } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { optimizerConfig, optimizerNames, runTraining } from '../src/index.js';
import { smallTask } from './small-task.js';
import { testFolder, testRuntime, trainSmall } from './support.js';
import { tinyData, tinyRun } from './tiny-run.js';

const folder = testFolder();
const runtime = testRuntime();
const task = smallTask({ rate: 0 });

/** Knows a fixed learning rate only. */
const plain: OptimizerPlugin<{ learningRate: number }> = {
  specVersion: 1,
  name: 'plain',
  config: z.looseObject({ learningRate: z.number() }),
  build: ({ learningRate }) => sgd({ learningRate }),
};
const registry = createRegistry([definePlugin({ name: 'a-team', specVersion: 1, optimizers: [plain] })]);

/** How far one step moves each parameter. */
async function moved(
  name: string,
  factors: Readonly<Record<string, number>>,
  place: string,
  weightDecay = 0,
): Promise<Record<string, number[]>> {
  const before = initializeParameters(task.parameters, Random.fromSeed(3));
  const { parameters } = await trainSmall(await runtime(), join(folder, `${name}-${place}`), {
    task,
    budget: { steps: 1 },
    registry,
    optimizer: { name, factors, clip: null, weightDecay, schedule: { kind: 'constant' } },
  });
  return Object.fromEntries(
    Object.entries(parameters as Readonly<Record<string, Tensor>>).map(([key, after]) => {
      const start = Array.from(before[key]!.data, Number);
      return [key, Array.from(after.data, Number).map((value, at) => value - start[at]!)];
    }),
  );
}

/** What the way is multiplied by, by least squares, and how far off the farthest number is, as a share. */
function factorBetween(got: readonly number[], whole: readonly number[]): { factor: number; off: number } {
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);
  const factor = dot(got, whole) / dot(whole, whole);
  const most = Math.max(...whole.map(Math.abs));
  return { factor, off: Math.max(...got.map((value, at) => Math.abs(value - factor * whole[at]!))) / most };
}

describe('factors on learning rates', () => {
  it.each([...optimizerNames, 'plain'])('hold for %s', async (name) => {
    const whole = await moved(name, {}, 'whole');
    const got = await moved(name, { 'body.*': 0, '*.gate': 0.5, 'head.weight': 3 }, 'factors');
    expect(Object.keys(got)).toEqual(['body.weight', 'head.weight', 'gates.gate']);
    for (const [key, factor] of Object.entries({ 'head.weight': 3, 'gates.gate': 0.5 })) {
      const found = factorBetween(got[key]!, whole[key]!);
      expect(found.factor).toBeCloseTo(factor, 4);
      expect(found.off).toBeLessThan(1e-3);
    }
    expect(whole['body.weight']!.some((way) => way !== 0)).toBe(true);
    expect(got['body.weight']!.every((way) => way === 0)).toBe(true);
  });

  it('of 0 leave weight decay no hold either', async () => {
    const got = await moved('adamw', { 'body.weight': 0 }, 'decayed', 0.5);
    expect(got['body.weight']!.every((way) => way === 0)).toBe(true);
    expect(got['head.weight']!.some((way) => way !== 0)).toBe(true);
  });

  it('leave weight decay what it is elsewhere: for matrices, not for gates', async () => {
    const without = await moved('sgd', { '*': 2 }, 'without decay');
    const decayed = await moved('sgd', { '*': 2 }, 'with decay', 0.5);
    expect(decayed['gates.gate']).toEqual(without['gates.gate']);
    expect(decayed['head.weight']).not.toEqual(without['head.weight']);
  });

  it('are those of the first pattern that fits the whole name, and 1 where none does', async () => {
    const whole = await moved('sgd', {}, 'plain');
    const got = await moved(
      'sgd',
      {
        // Neither a part of a name nor a character of a regular expression fits.
        head: 7,
        'head.weigh': 7,
        'h.ad.weight': 7,
        'head.w.*': 7,
        '(head|body).weight': 7,
        'gates?gate': 7,
        'b*y.*': 2,
        'body.weight': 5,
      },
      'first',
    );
    const found = Object.entries(got).map(([key, way]) => [key, factorBetween(way, whole[key]!).factor] as const);
    const factors = Object.fromEntries(found);
    expect(factors['body.weight']).toBeCloseTo(2, 4);
    expect(got['head.weight']).toEqual(whole['head.weight']);
    expect(got['gates.gate']).toEqual(whole['gates.gate']);
  });

  it('that fit no parameter of the model are told of, others that this stage does not train are not', async () => {
    const factors = { 'fusion.*.gate': 2, 'encoder.*': 0.1, 'fusion.*.gat': 3, gate: 2 };
    const [budget, tasks] = [{ steps: 1 }, [{ name: 'favourite-genre' }]];
    const stages = [
      { kind: 'tune', strategy: 'proj', budget, batchSize: 2, maximumTokens: 64, tasks, optimizer: { factors } },
    ] as const;
    let idle: readonly string[] = [];
    await runTraining(tinyRun({ stages: [...stages] }), {
      folder: join(folder, 'idle'),
      data: await tinyData(),
      runtime: await runtime(),
      onStage: ({ idleFactors }) => {
        idle = idleFactors;
      },
    });
    expect(idle).toEqual(['fusion.*.gat', 'gate']);
  }, 30_000);

  it('are not negative', () => {
    expect(optimizerConfig.safeParse({ factors: { 'body.*': -1 } }).success).toBe(false);
    expect(optimizerConfig.parse({}).factors).toEqual({});
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import type { Tracker } from '@user-llm/plugin';
import { describe, expect, it } from 'vitest';
import { runTraining } from '../src/index.js';
import { testFolder, testRuntime } from './support.js';
import { tinyData, tinyRun } from './tiny-run.js';

// Losses of 50 steps of each stage on the tiny model. A change that means to leave training as it is must reproduce
// them; USER_LLM_UPDATE_GOLDENS=1 writes them anew.

const golden = new URL('goldens/loss-curves.json', import.meta.url);
const folder = testFolder();
const runtime = testRuntime();
/** Other processors round otherwise, and training takes that further. */
const tolerance = 2e-3;

const run = tinyRun({
  stages: [
    { kind: 'pretrain', budget: { steps: 50 }, batchSize: 8, optimizer: { learningRate: 5e-3 } },
    { kind: 'language', budget: { steps: 50 }, batchSize: 2, sequenceTokens: 24, optimizer: { learningRate: 5e-3 } },
    {
      kind: 'tune',
      budget: { steps: 50 },
      batchSize: 4,
      maximumTokens: 80,
      tasks: [{ name: 'next-item' }, { name: 'favourite-genre' }],
      optimizer: { learningRate: 5e-3 },
    },
    {
      kind: 'align',
      budget: { steps: 50 },
      batchSize: 8,
      events: 2,
      maximumTokens: 32,
      optimizer: { learningRate: 5e-3, factors: { '*.gate': 4 } },
    },
  ],
});

describe('loss curves', () => {
  it('are those of the golden file', async () => {
    const curves: Record<string, number[]> = { pretrain: [], language: [], tune: [], align: [] };
    const tracker: Tracker = {
      specVersion: 1,
      name: 'curves',
      open: () =>
        Promise.resolve({
          log: (_, figures) => {
            for (const [name, curve] of Object.entries(curves)) {
              const loss = figures[`${name}/loss`];
              if (loss !== undefined) curve.push(Number(loss.toFixed(5)));
            }
          },
          close: () => Promise.resolve(),
        }),
    };
    await runTraining(run, { folder, data: await tinyData(), runtime: await runtime(), trackers: [tracker] });
    if (process.env['USER_LLM_UPDATE_GOLDENS']) writeFileSync(golden, `${JSON.stringify(curves)}\n`);
    const expected = JSON.parse(readFileSync(golden, 'utf8')) as Record<string, number[]>;
    for (const [name, curve] of Object.entries(expected)) {
      expect(curve).toHaveLength(50);
      expect(curves[name]).toHaveLength(50);
      const worst = Math.max(...curve.map((loss, step) => Math.abs(curves[name]![step]! - loss) / loss));
      expect([name, worst < tolerance, worst]).toEqual([name, true, worst]);
      const mean = (part: readonly number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length;
      expect(mean(curve.slice(-10))).toBeLessThan(0.9 * mean(curve.slice(0, 10)));
    }
  }, 60_000);
});

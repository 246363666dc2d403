import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runTraining } from '../src/index.js';
import { testFolder, testRuntime } from './support.js';
import { tinyData, tinyModel, tinyRun } from './tiny-run.js';

const folder = testFolder();
const runtime = testRuntime();

/** Figures of the last validation of a stage. */
function lastValidation(): Readonly<Record<string, number>> {
  const lines = readFileSync(join(folder, 'figures.jsonl'), 'utf8').trim().split('\n');
  const figures = lines.map((line) => JSON.parse(line) as Record<string, number>);
  return figures.filter((line) => 'tune/validation/loss' in line).at(-1)!;
}

describe('a model that was tuned on what its users like', () => {
  it("answers worse with another user's events, or with none", async () => {
    const run = tinyRun({
      model: { ...tinyModel, compressor: { name: 'mean' } },
      stages: [
        { kind: 'pretrain', budget: { steps: 100 }, batchSize: 16, optimizer: { learningRate: 0.01 } },
        {
          kind: 'tune',
          budget: { steps: 250 },
          batchSize: 16,
          maximumTokens: 40,
          tasks: [{ name: 'favourite-genre' }],
          optimizer: { learningRate: 0.01, schedule: { warmUpSteps: 10 } },
          validation: { every: 250, examples: 40, controls: true },
        },
      ],
    });
    await runTraining(run, { folder, data: await tinyData(), runtime: await runtime() });
    const figures = lastValidation();
    const [own, other, none] = ['loss', 'loss-wrong-user', 'loss-no-user'].map(
      (name) => figures[`tune/validation/${name}`]!,
    );
    expect(other!).toBeGreaterThan(1.5 * own!);
    expect(none!).toBeGreaterThan(1.5 * own!);
  }, 120_000);
});

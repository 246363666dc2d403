import { join } from 'node:path';
import { openSafetensors, type Tensor } from '@user-llm/tensor';
import { parameterGroup } from '@user-llm/user-llm';
import { describe, expect, it } from 'vitest';
import {
  formatTrained,
  runTraining,
  strategyNames,
  trainedBy,
  type Strategy,
  type TrainedCounts,
} from '../src/index.js';
import { bitsOf, testFolder, testRuntime } from './support.js';
import { tinyData, tinyModel, tinyRun } from './tiny-run.js';

const folder = testFolder();
const runtime = testRuntime();

async function weightsOf(model: string): Promise<Record<string, string>> {
  const file = await openSafetensors(join(model, 'weights.safetensors'));
  const read: Record<string, Tensor> = {};
  for (const name of file.names) read[name] = await file.read(name);
  await file.close();
  return bitsOf(read);
}

/** A run of one tuning stage; one step before it makes a model to start from. */
const tuning = (strategy: Strategy, steps: number) =>
  tinyRun({
    model: { ...tinyModel, lora: { rank: 2 } },
    ...(steps > 1 && {
      start: { model: join(folder, 'start', 'model'), parts: ['encoder', 'compressor', 'fusion', 'lora', 'llm'] },
    }),
    stages: [
      {
        kind: 'tune',
        strategy,
        budget: { steps },
        batchSize: 4,
        pool: 2,
        maximumTokens: 64,
        tasks: [{ name: 'next-item' }],
        optimizer: { learningRate: 0.02, schedule: { kind: 'constant' } },
      },
    ],
  });

const expected: Readonly<Record<Strategy, readonly string[]>> = {
  full: ['encoder', 'compressor', 'fusion', 'lora', 'llm'],
  lora: ['encoder', 'compressor', 'fusion', 'lora'],
  enc: ['encoder', 'compressor', 'fusion'],
  proj: ['compressor', 'fusion'],
};

describe('strategies', () => {
  it('are those of the paper', () => {
    expect(strategyNames).toEqual(['full', 'lora', 'enc', 'proj']);
  });

  it.each(strategyNames)(
    '%s trains exactly its set: nothing else changes by one bit',
    async (strategy) => {
      const options = { data: await tinyData(), runtime: await runtime() };
      await runTraining(tuning('full', 1), { ...options, folder: join(folder, 'start') });
      const before = await weightsOf(join(folder, 'start', 'model'));
      let counts: readonly TrainedCounts[] = [];
      const told = (stage: { readonly counts: readonly TrainedCounts[] }) => void (counts = stage.counts);
      await runTraining(tuning(strategy, 5), { ...options, folder: join(folder, strategy), onStage: told });
      const after = await weightsOf(join(folder, strategy, 'model'));
      const names = Object.keys(before);
      expect(Object.keys(after)).toEqual(names);
      const changed = names.filter((name) => after[name] !== before[name]);
      expect(changed).toEqual(names.filter((name) => expected[strategy].includes(parameterGroup(name))));
      expect(changed).toEqual(names.filter(trainedBy(strategy)));
      for (const { group, trained, frozen, unused } of counts) {
        expect([group, trained > 0, frozen > 0, unused]).toEqual([
          group,
          expected[strategy].includes(group),
          !expected[strategy].includes(group),
          0,
        ]);
      }
    },
    60_000,
  );

  it('are printed as a table of counts', () => {
    const table = formatTrained([
      { group: 'encoder', trained: 12_345, frozen: 0, unused: 7 },
      { group: 'llm', trained: 0, frozen: 1_000_000, unused: 0 },
    ]);
    expect(table).toBe(
      [
        'parameters         trained        frozen        unused',
        'encoder             12,345             0             7',
        'llm                      0     1,000,000             0',
        'all                 12,345     1,000,000             7',
        '',
      ].join('\n'),
    );
  });
});

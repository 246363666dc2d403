import { join } from 'node:path';
import { initializeParameters } from '@user-llm/graph';
import { languageModels, loadTokenizer, saveLanguageModel, trainBpe } from '@user-llm/llm';
import { openSafetensors, Random, type Tensor } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { runTraining, type Strategy } from '../src/index.js';
import { bitsOf, testFolder, testRuntime } from './support.js';
import { tinyData, tinyItems, tinyModel, tinyRun } from './tiny-run.js';

const folder = testFolder();
const runtime = testRuntime();

const sizes = { width: 16, layers: 2, heads: 2, feedForward: 24, maximumTokens: 96 };
const families: Readonly<Record<string, object>> = {
  gpt2: sizes,
  qwen2: { ...sizes, keyValueHeads: 1, window: 8, localLayers: [1] },
};

/** A checkpoint of a family, with a tokenizer and weights that were drawn. */
async function checkpoint(name: string): Promise<{ path: string; weights: Readonly<Record<string, Tensor>> }> {
  const path = join(folder, 'checkpoints', name);
  const roles = { begin: '<s>', end: '</s>', padding: '<pad>' };
  const texts = tinyItems.map(({ title }) => String(title));
  const tokenizer = loadTokenizer(trainBpe(texts, { vocabularySize: 280, specialTokens: roles }), roles);
  const family = languageModels.find((own) => own.name === name)!;
  const config = { ...families[name], vocabularySize: tokenizer.vocabularySize, deviation: 0.2 };
  const checked = await family.config['~standard'].validate(config);
  const valid = (checked as { readonly value: unknown }).value;
  const weights = initializeParameters(family.build(valid).parameters, Random.fromSeed(3)) as Record<string, Tensor>;
  await saveLanguageModel(path, { family: name, config: valid, weights, tokenizer });
  return { path, weights };
}

async function tensorsOf(path: string): Promise<Record<string, Tensor>> {
  const file = await openSafetensors(path);
  const read: Record<string, Tensor> = {};
  for (const name of file.names) read[name] = await file.read(name);
  await file.close();
  return read;
}

describe.each(Object.keys(families))('a checkpoint of the family %s as the LLM of a User-LLM', (name) => {
  it.each<Strategy>(['proj', 'lora'])(
    'stays as it is bit for bit, while gates open and adapters move (%s)',
    async (strategy) => {
      const { path, weights } = await checkpoint(name);
      const { llm: _, ...parts } = tinyModel;
      const run = tinyRun({
        model: { ...parts, lora: { rank: 2 } },
        text: { kind: 'checkpoint', path },
        stages: [
          {
            kind: 'tune',
            strategy,
            budget: { steps: 3 },
            batchSize: 4,
            pool: 2,
            maximumTokens: 64,
            tasks: [{ name: 'next-item' }],
            optimizer: { learningRate: 0.02, schedule: { kind: 'constant' } },
          },
        ],
      });
      const place = join(folder, `${name}-${strategy}`);
      await runTraining(run, { data: await tinyData(), runtime: await runtime(), folder: place });
      const after = await tensorsOf(join(place, 'model', 'weights.safetensors'));
      const llm = Object.fromEntries(Object.keys(weights).map((own) => [own, after[`llm.${own}`]!]));
      expect(bitsOf(llm)).toEqual(bitsOf(weights));
      const largest = (ends: string): number[] =>
        Object.entries(after)
          .filter(([own]) => own.endsWith(ends))
          .map(([, { data }]) => Math.max(...Array.from(data as Float32Array, Math.abs)));
      const gates = largest('gate');
      expect(gates.length).toBeGreaterThan(0);
      for (const gate of gates) expect(gate).toBeGreaterThan(0);
      const adapters = largest('lora_B.weight');
      expect(adapters.length).toBeGreaterThan(0);
      for (const adapter of adapters) expect(adapter > 0).toBe(strategy === 'lora');
    },
    60_000,
  );
});

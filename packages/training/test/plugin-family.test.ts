import { copyFileSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { initializeParameters } from '@user-llm/graph';
import { loadTokenizer, saveLanguageModel, trainBpe } from '@user-llm/llm';
import { familyChecks } from '@user-llm/llm/testing';
import type { Plugin } from '@user-llm/plugin';
import { openSafetensors, Random, type Tensor } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { runTraining, type Run } from '../src/index.js';
import { bitsOf, testFolder, testRuntime } from './support.js';
import { tinyData, tinyItems, tinyModel, tinyRun } from './tiny-run.js';

const runtime = testRuntime();
const folder = testFolder();

/** The plugin in a folder outside the repository, beside what `npm install` would put there. */
const here = dirname(fileURLToPath(import.meta.url));
const module = join(folder, 'plugin.mjs');
copyFileSync(join(here, 'a-lab/plugin.mjs'), module);
mkdirSync(join(folder, 'node_modules'));
symlinkSync(join(here, '../../../node_modules/@user-llm'), join(folder, 'node_modules/@user-llm'));

const plugin = ((await import(pathToFileURL(module).href)) as { default: Plugin }).default;
const magpie = plugin.llms![0]!;
const sizes = { width: 16, layers: 2, heads: 2, keyValueHeads: 1, feedForward: 24, maximumTokens: 96 };

/** A checkpoint of the family, with a tokenizer and weights that were drawn. */
async function checkpoint(path: string): Promise<Readonly<Record<string, Tensor>>> {
  const roles = { begin: '<s>', end: '</s>', padding: '<pad>' };
  const texts = tinyItems.map(({ title }) => String(title));
  const tokenizer = loadTokenizer(trainBpe(texts, { vocabularySize: 280, specialTokens: roles }), roles);
  const checked = await magpie.config['~standard'].validate({ ...sizes, vocabularySize: tokenizer.vocabularySize });
  const config = (checked as { readonly value: unknown }).value;
  const weights = initializeParameters(magpie.build(config).parameters, Random.fromSeed(3)) as Record<string, Tensor>;
  await saveLanguageModel(path, { family: 'magpie', config, weights, tokenizer }, { families: [magpie] });
  return weights;
}

/** A run that tunes what reads the user around the frozen LLM of a checkpoint. */
function tuning(path: string, plugins: readonly (string | Plugin)[]): Run {
  const { llm: _, ...parts } = tinyModel;
  return tinyRun({
    plugins,
    model: parts,
    text: { kind: 'checkpoint', path },
    stages: [
      {
        kind: 'tune',
        strategy: 'proj',
        budget: { steps: 2 },
        batchSize: 4,
        pool: 2,
        maximumTokens: 64,
        tasks: [{ name: 'next-item' }],
      },
    ],
  });
}

describe('a family of LLMs in a plugin outside the repository', () => {
  const config = { ...sizes, vocabularySize: 40, window: 5, localLayers: [1], tiedEmbedding: false };
  for (const check of familyChecks({ family: magpie, config, runtime })) {
    it(`passes the suite: ${check.name}`, () => check.run());
  }

  it.each<[string, string | Plugin]>([
    ['by its module', module],
    ['as a value', plugin],
  ])('is the LLM of a run that takes its checkpoint, with the plugin %s', async (how, given) => {
    const path = join(folder, 'checkpoint');
    const weights = await checkpoint(path);
    const stored = await openSafetensors(join(path, 'model.safetensors'));
    expect(stored.names).toContain('nest.layers.1.attention.joined.weight');
    await stored.close();
    const place = join(folder, how);
    const options = { data: await tinyData(), runtime: await runtime(), folder: place };
    expect((await runTraining(tuning(path, [given]), options)).status).toBe('done');
    const manifest = JSON.parse(readFileSync(join(place, 'model/model.json'), 'utf8')) as object;
    expect(manifest).toMatchObject({ plugins: ['a-lab'], config: { llm: { name: 'magpie', config: sizes } } });
    const trained = await openSafetensors(join(place, 'model/weights.safetensors'));
    const llm: Record<string, Tensor> = {};
    for (const name of Object.keys(weights)) llm[name] = await trained.read(`llm.${name}`);
    await trained.close();
    expect(bitsOf(llm)).toEqual(bitsOf(weights));
  });

  it('is asked for where its plugin is missing', async () => {
    const path = join(folder, 'unknown');
    await checkpoint(path);
    const options = { data: await tinyData(), runtime: await runtime(), folder: join(folder, 'without') };
    await expect(runTraining(tuning(path, []), options)).rejects.toMatchObject({
      code: 'unknown-architecture',
      message: expect.stringMatching(/LlamaForCausalLM.*got MagpieForCausalLM.*plugin/s) as unknown,
    });
  });
});

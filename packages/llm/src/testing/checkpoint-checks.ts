import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demand } from '@user-llm/plugin/testing';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import { loadLanguageModel } from '../checkpoints/load-language-model.js';
import { saveLanguageModel } from '../checkpoints/save-language-model.js';
import type { CheckpointFamily } from '../families/known-families.js';
import type { BenchCheck } from './family-checks.js';

/** The text of a value with its fields in order, to compare by. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, own: unknown) =>
    own !== null && typeof own === 'object' && !Array.isArray(own)
      ? Object.fromEntries(Object.entries(own).sort(([a], [b]) => (a < b ? -1 : 1)))
      : own,
  );
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'user-llm-family-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const numbers = (tensor: Tensor | undefined): ArrayLike<number> => tensor?.cast('float32').contiguous().data ?? [];

/** What is saved and loaded as a Hugging Face folder. */
export function checkpointChecks(family: CheckpointFamily, given: unknown): Readonly<Record<string, BenchCheck>> {
  const validConfig = async (): Promise<unknown> => {
    const checked = await family.config['~standard'].validate(given);
    return (checked as { readonly value: unknown }).value;
  };
  const save = async (folder: string, weights: Readonly<Record<string, Tensor>>): Promise<void> => {
    const model = { family: family.name, config: await validConfig(), weights };
    await saveLanguageModel(folder, model, { families: [family] });
  };
  const load = (folder: string) => loadLanguageModel(folder, { families: [family] });
  return {
    'a saved model is the same when it is loaded, and when that is saved again': ({ weights }) =>
      inFolder(async (folder) => {
        await save(folder, weights);
        const first = await load(folder);
        demand(first.family === family.name, 'family of what was saved', family.name, first.family);
        for (const [name, weight] of Object.entries(weights)) {
          const [got, wanted] = [numbers(first.weights[name]), numbers(weight)];
          const same =
            got.length === wanted.length && Array.from(got).every((value, at) => Object.is(value, wanted[at]));
          demand(same, `weight ${name} after save and load`, 'the same numbers', 'others');
        }
        const config = await readFile(join(folder, 'config.json'), 'utf8');
        await saveLanguageModel(folder, first, { families: [family] });
        const again = await readFile(join(folder, 'config.json'), 'utf8');
        demand(textOf(JSON.parse(again)) === textOf(JSON.parse(config)), 'config.json saved again', config, again);
        const second = await load(folder);
        demand(
          textOf(second.config) === textOf(first.config),
          'config loaded again',
          textOf(first.config),
          textOf(second.config),
        );
      }),
    'a loaded config builds a model with the same numbers': (bench) =>
      inFolder(async (folder) => {
        await save(folder, bench.weights);
        const { config } = await load(folder);
        const llm = family.build(config);
        const tokens = [bench.tokens(9)];
        const before = await bench.run(tokens, (tree, ids) => ({ logits: bench.llm.apply(tree, { tokens: ids }) }));
        const after = await bench.run(tokens, (tree, ids) => ({ logits: llm.apply(tree, { tokens: ids }) }));
        const same = Array.from(after['logits']!.data).every((value, at) => value === before['logits']!.data[at]);
        demand(same, 'logits of the loaded config', 'the same', 'others');
      }),
    'a checkpoint without one of its weights is refused': ({ weights }) =>
      inFolder(async (folder) => {
        await save(folder, weights);
        const path = join(folder, 'config.json');
        const config = JSON.parse(await readFile(path, 'utf8')) as Readonly<Record<string, unknown>>;
        const more = Object.keys(config).find((name) => /^(num_hidden_layers|n_layer)$/.test(name));
        if (more === undefined) return;
        const { layer_types: _, ...rest } = config;
        await writeFile(path, JSON.stringify({ ...rest, [more]: Number(config[more]) + 1 }));
        const error: unknown = await load(folder).catch((problem: unknown) => problem);
        const code = UserLlmError.isInstance(error) ? error.code : 'no error';
        demand(code === 'missing-weight', 'a checkpoint with a layer too few', 'missing-weight', code);
      }),
  };
}

import { mkdir } from 'node:fs/promises';
import { writeFileAtomically, writeSafetensors } from '@user-llm/tensor';
import { builtInParts, modelFiles, UserLlm } from '@user-llm/user-llm';
import type { Weights } from '../loop/step-figures.js';
import type { RunSession } from './train-stage.js';

/**
 * Saves what a run has trained in its folder `model`: a model directory of user-llm, or of an encoder alone the files of
 * the same names with the model's config in `config.json`.
 */
export async function saveModel(
  { folder, config, data, text, model, registry }: RunSession,
  weights: Weights,
): Promise<void> {
  const catalogue = [...data.catalogue.values()];
  if (model.userLlm && text) {
    const own = builtInParts().name;
    const userLlm = UserLlm.create({
      config: model.userLlm.config,
      eventTokenizer: data.tokenizer,
      textTokenizer: text,
      catalogue,
      weights,
      ...(data.vectors && { vectors: data.vectors }),
      plugins: registry.plugins.filter(({ name }) => name !== own),
    });
    await userLlm.save(folder.file('model'));
    await userLlm.dispose();
    return;
  }
  await mkdir(folder.file('model'), { recursive: true });
  const lines = catalogue.map((item) => `${JSON.stringify(item)}\n`);
  await writeFileAtomically(folder.file('model', 'catalogue.jsonl'), lines);
  await folder.writeJson(data.tokenizer.toJSON(), 'model', 'event-tokenizer.json');
  await folder.writeJson(config.model, 'model', 'config.json');
  await writeSafetensors(folder.file('model', 'weights.safetensors'), Object.entries(weights));
  if (data.vectors) await writeSafetensors(folder.file('model', modelFiles.vectors), Object.entries(data.vectors));
}

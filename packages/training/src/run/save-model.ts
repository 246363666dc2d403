import { builtInParts, UserLlm } from '@user-llm/user-llm';
import type { Weights } from '../loop/step-figures.js';
import { saveEncoder } from './encoder-folder.js';
import type { RunSession } from './train-stage.js';

/**
 * Saves what a run has trained in its folder `model`: a model directory of user-llm, or the folder of an encoder alone.
 */
export async function saveModel({ folder, data, text, model, registry }: RunSession, weights: Weights): Promise<void> {
  const catalogue = [...data.catalogue.values()];
  if (model.userLlm && text) {
    const own = builtInParts().name;
    const userLlm = UserLlm.create({
      config: model.userLlm.config,
      eventTokenizer: data.tokenizer,
      textTokenizer: text,
      catalogue,
      weights,
      trainedOn: { data: data.fingerprint, split: data.split },
      ...(data.vectors && { vectors: data.vectors }),
      plugins: registry.plugins.filter(({ name }) => name !== own),
    });
    await userLlm.save(folder.file('model'));
    await userLlm.dispose();
    return;
  }
  await saveEncoder(folder.file('model'), {
    config: model.config,
    tokenizer: data.tokenizer,
    catalogue,
    weights,
    ...(data.vectors && { vectors: data.vectors }),
  });
}

import { mkdir } from 'node:fs/promises';
import { writeFileAtomically, writeSafetensors } from '@user-llm/tensor';
import type { Weights } from '../loop/step-figures.js';
import type { RunSession } from './train-stage.js';

/** Saves what a run has trained in its folder `model`. */
export async function saveModel({ folder, config, data }: RunSession, weights: Weights): Promise<void> {
  const place = folder.file('model');
  await mkdir(place, { recursive: true });
  const catalogue = [...data.catalogue.values()].map((item) => `${JSON.stringify(item)}\n`);
  await writeFileAtomically(folder.file('model', 'catalogue.jsonl'), catalogue);
  await folder.writeJson(data.tokenizer.toJSON(), 'model', 'event-tokenizer.json');
  await folder.writeJson(config.model, 'model', 'config.json');
  await writeSafetensors(folder.file('model', 'weights.safetensors'), Object.entries(weights));
}

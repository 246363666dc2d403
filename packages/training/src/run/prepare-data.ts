import { datasetFiles, prepareDataset } from '@user-llm/datasets';
import type { Registry } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { EventTokenizer } from '@user-llm/tokenization';
import { readDataset, tokenized, trainedItems, type TokenizedData, type TrainingData } from '../data/training-data.js';
import { readVectorFiles, withVectors } from './prepare-vectors.js';
import { readStart } from './start-weights.js';
import type { RunConfig } from './run-config.js';
import type { RunFolder } from './run-folder.js';

const tokenizerName = 'event-tokenizer.json';

/**
 * The data of a run as ids; what the event tokenizer has learned is kept in the run's folder.
 *
 * @throws UserLlmError `no-data` when there is neither a data set in the config nor data in memory.
 */
export async function prepareData(
  config: RunConfig,
  inMemory: TrainingData | undefined,
  registry: Registry,
  folder: RunFolder,
): Promise<TokenizedData> {
  const dataset = inMemory ? undefined : await datasetFolder(config, registry, folder);
  const data = inMemory ?? (dataset === undefined ? undefined : await readDataset(dataset, config.data.split));
  if (data === undefined) {
    throw new UserLlmError('no-data', {
      what: 'training run',
      expected: 'data.dataset or data.raw in the config, or data in memory',
      got: 'neither',
      mend: 'Prepare a data set: user-llm-train data prepare --help',
    });
  }
  const kinds = [...registry.all('features').values()];
  const { events, item } = config.model;
  const kept = (await folder.readJson(tokenizerName)) ?? (await readStart(config, tokenizerName));
  const fitted = kept === undefined ? undefined : EventTokenizer.fromJSON(kept, events, kinds);
  const files = await readVectorFiles(config);
  const trained = files[item] ? await trainedItems(data) : undefined;
  const unseen = trained && files[item]!.ids.filter((id) => !trained.has(id));
  const ready = await tokenized(data, events, kinds, fitted, unseen && { [item]: unseen });
  await folder.writeJson(ready.tokenizer.toJSON(), tokenizerName);
  return withVectors(ready, config, files);
}

/** The folder of the data set: of the config, or made of raw files when the run has none yet. */
async function datasetFolder({ data }: RunConfig, registry: Registry, folder: RunFolder): Promise<string | undefined> {
  if (data.raw === undefined) return data.dataset;
  const output = folder.file('data');
  if ((await folder.readJson('data', datasetFiles.manifest)) !== undefined) return output;
  const { source, input, ...shape } = data.raw;
  await prepareDataset({
    source: registry.get('datasets', source),
    output,
    ...shape,
    ...(input !== undefined && { input }),
  });
  return output;
}

import { datasetFiles, prepareDataset } from '@user-llm/datasets';
import { UserLlmError } from '@user-llm/tensor';
import { EventTokenizer, reservedIds } from '@user-llm/tokenization';
import { modelFiles } from '@user-llm/user-llm';
import { readDataset, tokenized, trainedItems, type TokenizedData } from '../data/training-data.js';
import type { Preparation } from './preparation.js';
import { readVectorFiles, withVectors } from './prepare-vectors.js';
import type { RunConfig } from './run-config.js';
import { startJson } from './start-model.js';

/**
 * The data of a run as ids, by what the event tokenizer has learned before, by that of the model that the encoder starts
 * from, or by one that is learned now.
 *
 * @throws UserLlmError `unknown-items` when the model that the encoder starts from knows too few of the items, and what
 *   reading and tokenizing throw.
 */
export async function prepareData(config: RunConfig, preparation: Preparation): Promise<TokenizedData> {
  const { registry, options, kept } = preparation;
  const { events, item } = config.model;
  // The encoder's parameters have rows for the ids of these vocabularies.
  const start = config.start?.parts.includes('encoder') ? preparation.start : undefined;
  const files = await readVectorFiles(config);
  const data = options.data ?? (await readDataset(await datasetFolder(config, preparation), config.data.split));
  const kinds = [...registry.all('features').values()];
  const learned = kept.eventTokenizer ?? (await startJson(start, modelFiles.eventTokenizer));
  const fitted = learned === undefined ? undefined : EventTokenizer.fromJSON(learned, events, kinds);
  const trained = files[item] ? await trainedItems(data) : undefined;
  const unseen = trained && files[item]!.ids.filter((id) => !trained.has(id));
  const ready = await tokenized(data, events, kinds, fitted, unseen && { [item]: unseen });
  if (start) requireKnownItems(ready, item, start.path);
  return withVectors(ready, config, files, start);
}

/** The folder of the data set: of the config, or made of raw files when the run has none yet. */
async function datasetFolder({ data }: RunConfig, { registry, folder, options }: Preparation): Promise<string> {
  if (data.raw === undefined) return data.dataset!;
  const output = folder.file('data');
  if ((await folder.readJson('data', datasetFiles.manifest)) !== undefined) return output;
  const { source, input, ...shape } = data.raw;
  await prepareDataset({
    source: registry.get('datasets', source),
    output,
    ...shape,
    ...(input !== undefined && { input }),
    ...(options.signal && { signal: options.signal }),
    ...(options.onPrepare && { onProgress: options.onPrepare }),
  });
  return output;
}

/** Refuses data most of whose events have items that the model to start from cannot tell from one another. */
function requireKnownItems({ timelines }: TokenizedData, item: string, start: string): void {
  let unknown = 0;
  for (let user = 0; user < timelines.users; user++) {
    for (const id of timelines.timeline(user).columns[item]!) unknown += Number(id === reservedIds.unknown);
  }
  if (unknown <= timelines.events / 2) return;
  throw new UserLlmError('unknown-items', {
    what: `training data, read by the vocabularies of ${start}`,
    expected: 'items that the model to start from knows in half of the events at least',
    got: `others in ${unknown} of ${timelines.events} events`,
    mend: 'Train on the data that it was trained on, or leave the encoder out of start.parts.',
  });
}

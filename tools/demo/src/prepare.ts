import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { movielens, openDataset, prepareDataset, type DatasetManifest } from '@user-llm/datasets';

/** Users and films with fewer ratings are left out: the decoder has a minute to learn the titles of the others. */
const kCore = 20;

/**
 * Prepares MovieLens for the demo, unless that has been done already.
 *
 * @param input Folder with ratings and movies.
 * @param output Folder of the prepared data set.
 * @throws UserLlmError as `prepareDataset`.
 */
export async function prepare(input: string, output: string, signal: AbortSignal): Promise<DatasetManifest> {
  const there = await access(join(output, 'manifest.json')).then(
    () => true,
    () => false,
  );
  if (!there) await prepareDataset({ source: movielens, input, output, kCore, signal });
  return (await openDataset(output)).manifest;
}

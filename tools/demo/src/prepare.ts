import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { movielens, openDataset, prepareDataset, type DatasetManifest } from '@user-llm/datasets';
import { UserLlmError } from '@user-llm/tensor';

/**
 * Prepares MovieLens, unless that has been done already.
 *
 * @param kCore Users and films with fewer ratings are left out.
 * @param input Folder with ratings and movies.
 * @param output Folder of the prepared data set.
 * @throws UserLlmError `data-mismatch` when other files were prepared there, `files-not-found` when there are no movies
 *   to tell titles and genres, and as `prepareDataset`.
 */
export async function prepare(
  kCore: number,
  input: string,
  output: string,
  signal: AbortSignal,
): Promise<DatasetManifest> {
  const there = await access(join(output, 'manifest.json')).then(
    () => true,
    () => false,
  );
  if (!there) await prepareDataset({ source: movielens, input, output, kCore, signal });
  const { manifest } = await openDataset(output);
  for (const { file, bytes } of there ? manifest.inputs : []) {
    const found = await stat(join(input, file)).catch(() => undefined);
    if (bytes !== undefined && found?.size !== bytes) throw otherData(input, output, file);
  }
  if (manifest.inputs.some(({ table }) => table === 'items')) return manifest;
  throw new UserLlmError('files-not-found', {
    what: `MovieLens in ${input}`,
    expected: 'movies.csv or movies.dat (or either with .gz) beside the ratings',
    got: 'ratings alone',
    mend: 'Titles and genres are what the decoder speaks of: put the file there, and give another --out.',
  });
}

function otherData(input: string, output: string, file: string): UserLlmError {
  return new UserLlmError('data-mismatch', {
    what: output,
    expected: `data prepared from ${input}`,
    got: `data of another ${file}`,
    mend: 'Give another --out, or delete this folder.',
  });
}

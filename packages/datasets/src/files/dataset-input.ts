import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DatasetInput } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { glob } from 'tinyglobby';
import { firstLine } from './first-line.js';
import { explainReadFailure, isAddress } from './read-bytes.js';

/**
 * What the user pointed at, for a source to look at.
 *
 * @param scratch An empty folder for what the source makes itself.
 */
export function datasetInput(path: string, scratch: string): DatasetInput {
  const absolute = path === '' || isAddress(path) ? path : resolve(path);
  return { path: absolute, scratch, files: () => findFiles(absolute), firstLine };
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * The files that a path means, sorted by their bytes: itself, those right inside a folder, or those a glob matches;
 * hidden files (`.name`, `_name`) are left out of folders. An address stands for itself.
 *
 * @throws UserLlmError `no-input` for an empty path, `file-not-found` when there is none, `file-not-readable`.
 */
export async function findFiles(path: string): Promise<readonly string[]> {
  if (path === '') {
    throw new UserLlmError('no-input', {
      what: 'Raw files',
      expected: 'a file, a folder, a glob or an address',
      got: 'none',
      mend: 'Name one (--input).',
    });
  }
  if (isAddress(path)) return [path];
  if (/[*?[{]/.test(path) && (await exists(path)) === undefined) {
    const found = await glob(path, { absolute: true });
    return found.length > 0 ? found.sort(byBytes) : missing(path, 'files that match');
  }
  const found = await exists(path);
  if (found === undefined) return missing(path, 'a file or folder that exists');
  if (!found.isDirectory()) return [path];
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && !/^[._]/.test(entry.name))
      .map((entry) => join(path, entry.name))
      .sort(byBytes);
  } catch (error) {
    throw explainReadFailure(path, error);
  }
}

async function exists(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw explainReadFailure(path, error);
  }
}

function missing(path: string, expected: string): never {
  throw new UserLlmError('file-not-found', { what: path, expected, got: 'none', mend: 'Check the path.' });
}

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { modelFiles, UserLlm } from '@user-llm/user-llm';

/**
 * Loads the model directory of a whole User-LLM.
 *
 * @throws UserLlmError `encoder-alone` for the folder that a run without an LLM leaves, and as `UserLlm.load`.
 */
export async function loadUserLlm(directory: string, plugins: readonly Plugin[]): Promise<UserLlm> {
  const manifest: unknown = await readFile(join(directory, modelFiles.manifest), 'utf8')
    .then(JSON.parse)
    .catch(() => undefined);
  if ((manifest as { readonly format?: unknown } | undefined)?.format !== 'user-llm-encoder') {
    return UserLlm.load(directory, { plugins });
  }
  throw new UserLlmError('encoder-alone', {
    what: directory,
    expected: 'a whole User-LLM',
    got: 'a user encoder without an LLM',
    mend: `Its own figures come of "test": true in its stage pretrain. For a whole model train a run with model.llm and "start": { "model": ${JSON.stringify(directory)}, "parts": ["encoder"] }.`,
  });
}

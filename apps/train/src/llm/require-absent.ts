import { stat } from 'node:fs/promises';
import { UserLlmError } from '@user-llm/tensor';

/** @throws UserLlmError `folder-exists` when something stands where a folder is to be made. */
export async function requireAbsent(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => undefined)) === undefined) return;
  throw new UserLlmError('folder-exists', {
    what: folder,
    expected: 'a folder that is not there yet',
    got: 'one that is',
    mend: 'Give another --out, or remove it.',
  });
}

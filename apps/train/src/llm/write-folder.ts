import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UserLlmError } from '@user-llm/tensor';
import { requireAbsent } from './require-absent.js';

/**
 * Makes a folder whole or not at all: `write` fills one beside it, `OUT.partial`, which is then renamed; what an earlier
 * process left there is removed.
 *
 * @throws UserLlmError `folder-exists`, `write-failed` when the file system refuses, and what `write` throws.
 */
export async function writeFolder(out: string, write: (folder: string) => Promise<void>): Promise<void> {
  const target = resolve(out);
  await requireAbsent(target);
  const aside = `${target}.partial`;
  try {
    await rm(aside, { recursive: true, force: true });
    await makeFolder(aside);
    await write(aside);
    await rename(aside, target);
  } catch (cause) {
    await rm(aside, { recursive: true, force: true }).catch(() => undefined);
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new UserLlmError('write-failed', {
      what: `writing ${target}`,
      expected: 'a place that may be written to and has room',
      got: cause.message,
      mend: 'Give another --out, or mend what the file system says.',
      cause,
    });
  }
}

/**
 * A folder with those above it. `mkdir` of Node with `recursive` never ends where the file system says of a folder in
 * one that is there that there is no such place, as that of `/proc` does.
 */
async function makeFolder(path: string): Promise<void> {
  const above = dirname(path);
  if ((await stat(above).catch(() => undefined)) === undefined) await makeFolder(above);
  await mkdir(path);
}

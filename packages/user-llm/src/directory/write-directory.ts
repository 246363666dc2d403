import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { UserLlmError } from '@user-llm/tensor';
import { modelFiles } from './manifest.js';

/**
 * Writes a directory whole or not at all: aside, synced, and renamed over the old one. Killed at any moment it leaves
 * the old directory or the new one; between the two renames that replacing takes, the old one lies beside as
 * `.NAME.UUID.old`.
 *
 * @param write Fills the directory that it is given.
 * @param mark A file that only such directories have, so that nothing else is ever replaced.
 * @throws UserLlmError `not-a-model` when there is something else at the path, `write-failed` when the file system
 *   refuses, and what `write` throws.
 */
export async function writeDirectoryAtomically(
  path: string,
  write: (folder: string) => Promise<void>,
  mark: string = modelFiles.manifest,
): Promise<void> {
  const target = resolve(path);
  const replaces = await replaceable(target, mark);
  const parent = dirname(target);
  const aside = join(parent, `.${basename(target).slice(0, 50)}.${randomUUID()}.tmp`);
  try {
    await mkdir(parent, { recursive: true });
    await mkdir(aside);
    await write(aside);
    await syncFolder(aside);
    if (replaces) {
      const old = aside.replace(/tmp$/, 'old');
      await rename(target, old);
      await rename(aside, target).catch(async (cause: unknown) => {
        await rename(old, target);
        throw cause;
      });
      await syncFolder(parent);
      await rm(old, { recursive: true, force: true });
    } else {
      await rename(aside, target);
      await syncFolder(parent);
    }
  } catch (cause) {
    await rm(aside, { recursive: true, force: true }).catch(() => undefined);
    if (UserLlmError.isInstance(cause)) throw cause;
    throw new UserLlmError('write-failed', {
      what: `writing ${target}`,
      expected: 'a folder that may be written to and has room',
      got: cause instanceof Error ? cause.message : String(cause),
      mend: 'Mend what the file system says.',
      cause,
    });
  }
}

/** Whether there is a model directory in the way, or an empty one; anything else is not ours to replace. */
async function replaceable(target: string, mark: string): Promise<boolean> {
  const found = await stat(target).catch(() => undefined);
  if (!found) return false;
  const files = found.isDirectory() ? await readdir(target) : undefined;
  if (files && (files.length === 0 || files.includes(mark))) return true;
  throw new UserLlmError('not-a-model', {
    what: target,
    expected: `nothing, an empty folder, or a folder with ${mark} to replace`,
    got: files ? `a folder with ${files[0]}` : 'a file',
    mend: 'Choose another path, or remove what is there.',
  });
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Length and SHA-256 of a file. */
export async function fileDigest(path: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Uint8Array>) {
    hash.update(part);
    bytes += part.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Whether there is such a file. */
export async function fileExists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

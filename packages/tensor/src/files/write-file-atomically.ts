import { randomUUID } from 'node:crypto';
import * as nodeFiles from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserLlmError } from '../errors.js';

/** What a file is made of: all of it, or its parts in order. */
export type FileContent = string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** What is needed of an open file. */
export interface WritableFile {
  write(bytes: Uint8Array, from: number, length: number): Promise<{ bytesWritten: number }>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What is needed of the file system. */
export interface WritableFiles {
  open(path: string, flags: 'wx' | 'r'): Promise<WritableFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
}

/**
 * Writes a file whole or not at all: into a temporary file in the same folder, synced to the disk, renamed over
 * `path`, and the folder synced. Killed at any moment, or failing, it leaves the old file as it was; a failure that
 * is thrown leaves no temporary file, and one that a kill leaves (`.NAME.UUID.tmp`) is in nobody's way.
 *
 * @param content All of the file, or its parts, so that it need not fit in memory.
 * @throws UserLlmError `write-failed` when the file system refuses, and whatever `content` throws.
 */
export async function writeFileAtomically(path: string, content: FileContent): Promise<void> {
  await writeAside(path, content, nodeFiles);
}

/** `writeFileAtomically` on any file system. */
export async function writeAside(path: string, content: FileContent, files: WritableFiles): Promise<void> {
  // Cut, so that a name of the greatest length leaves room for the rest.
  const temporary = join(dirname(path), `.${basename(path).slice(0, 50)}.${randomUUID()}.tmp`);
  const asked = <T>(answer: Promise<T>) => answer.catch((cause: unknown) => Promise.reject(refused(path, cause)));
  const file = await asked(files.open(temporary, 'wx'));
  let open = true;
  try {
    for await (const part of typeof content === 'string' || content instanceof Uint8Array ? [content] : content) {
      await asked(writeFully(file, typeof part === 'string' ? new TextEncoder().encode(part) : part));
    }
    await asked(file.sync());
    open = false;
    await asked(file.close());
    await asked(files.rename(temporary, path));
  } catch (error) {
    // What went wrong first is what the caller must hear of.
    await (open ? file.close() : Promise.resolve()).catch(() => undefined);
    await files.unlink(temporary).catch(() => undefined);
    throw error;
  }
  await asked(syncFolder(dirname(path), files));
}

async function writeFully(file: WritableFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written);
    if (bytesWritten === 0) {
      throw new Error('the file system took none of the bytes');
    }
    written += bytesWritten;
  }
}

/** Makes the new name durable; Windows has no such thing for folders. */
async function syncFolder(path: string, files: WritableFiles): Promise<void> {
  if (process.platform === 'win32') {
    return;
  }
  const folder = await files.open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function refused(path: string, cause: unknown): UserLlmError {
  return new UserLlmError('write-failed', {
    what: `writing ${path}`,
    expected: 'a folder that exists, may be written to and has room',
    got: cause instanceof Error ? cause.message : String(cause),
    mend: 'Mend what the file system says; the old file, if there was one, is as it was.',
    cause,
  });
}

import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, realpath, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

/** The file in a run's folder that says who is training there. */
const lockName = 'run.lock';

const lockFile = z.object({ pid: z.int(), host: z.string() });

/** The locks of this process. A file with its number that is none of them is of an earlier process. */
const held = new Set<string>();

/**
 * Works in a run's folder, made when there is none, while nobody else does. The lock of a process of this host that is no
 * more is taken over. A folder that was made for nothing is removed.
 *
 * @throws UserLlmError `run-in-use` when somebody else works there, `write-failed` when it cannot be made or written to.
 */
export async function withRunLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const { path, made } = await makeFolder(folder);
  const lock = join(path, lockName);
  if (held.has(lock)) throw inUse(lock, { pid: process.pid, host: hostname() });
  held.add(lock);
  try {
    await writeLock(lock);
    try {
      return await work();
    } finally {
      await rm(lock, { force: true });
    }
  } finally {
    held.delete(lock);
    // Refused when there is anything in it.
    if (made) await rmdir(path).catch(() => undefined);
  }
}

/** The folder's path without links, so that it is the same by whatever way it was named, and whether it is new. */
async function makeFolder(folder: string): Promise<{ readonly path: string; readonly made: boolean }> {
  try {
    const made = (await mkdir(folder, { recursive: true })) !== undefined;
    return { path: await realpath(folder), made };
  } catch (cause) {
    throw notWritable(folder, cause);
  }
}

async function writeLock(lock: string): Promise<void> {
  for (;;) {
    try {
      await writeFile(lock, JSON.stringify({ pid: process.pid, host: hostname() }), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw notWritable(lock, error);
    }
    const text = await unlessRemoved(readFile(lock, 'utf8'));
    if (text === undefined) continue;
    const holder = parsed(text);
    if (holder === undefined || isAtWork(holder)) throw inUse(lock, holder);
    await removeStale(lock, text);
  }
}

/** What comes of a look at a lock; nothing when somebody has removed it since. */
async function unlessRemoved<T>(look: Promise<T>): Promise<T | undefined> {
  return look.catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : Promise.reject(error)));
}

/** What a lock says; nothing while it is being written. */
function parsed(text: string): z.output<typeof lockFile> | undefined {
  try {
    return lockFile.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function isAtWork({ pid, host }: z.output<typeof lockFile>): boolean {
  if (host !== hostname()) return true;
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Takes a lock away; one that somebody else has put there in the meantime is put back. */
async function removeStale(lock: string, text: string): Promise<void> {
  const aside = `${lock}.${randomUUID()}`;
  if ((await unlessRemoved(rename(lock, aside).then(() => true))) === undefined) return;
  if ((await readFile(aside, 'utf8')) !== text) await link(aside, lock).catch(() => undefined);
  await rm(aside);
}

function inUse(lock: string, holder: z.output<typeof lockFile> | undefined): UserLlmError {
  return new UserLlmError('run-in-use', {
    what: lock,
    expected: 'a folder in which nobody trains',
    got: holder ? `process ${holder.pid} on ${holder.host} at work there` : 'somebody who is just starting there',
    mend: 'Wait for it or stop it, or train in another folder. If there is no such process any more, remove this file.',
  });
}

function notWritable(what: string, cause: unknown): UserLlmError {
  return new UserLlmError('write-failed', {
    what,
    expected: 'a folder, or a place for one, that may be written to',
    got: cause instanceof Error ? cause.message : String(cause),
    mend: 'Train in another folder.',
    cause,
  });
}

import { mkdir, readdir, realpath, rm, rmdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserLlmError } from '@user-llm/tensor';

/** How the file in a run's folder begins whose name says who is training there: its process and host. */
const prefix = 'run.lock-';

/** The locks of this process. A file with its number that is none of them is of an earlier process. */
const held = new Set<string>();

/**
 * Works in a run's folder, made when there is none, while nobody else does. Everyone says that they are there before they
 * look for others, so that of two who come at once none or one stays. What processes of this host have left that are no
 * more is removed, and so is a folder that was made for nothing.
 *
 * @throws UserLlmError `run-in-use` when somebody else works there, `write-failed` when it cannot be made or written to.
 */
export async function withRunLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const { path, made } = await makeFolder(folder);
  const own = `${prefix}${process.pid}-${hostname()}`;
  const lock = join(path, own);
  if (held.has(lock)) throw inUse(path, own);
  held.add(lock);
  try {
    await writeFile(lock, '').catch((cause: unknown) => Promise.reject(notWritable(lock, cause)));
    try {
      await requireAlone(path, own);
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

async function requireAlone(path: string, own: string): Promise<void> {
  for (const name of await readdir(path)) {
    if (!name.startsWith(prefix) || name === own) continue;
    if (isAtWork(name)) throw inUse(path, name);
    await rm(join(path, name), { force: true });
  }
}

/** The number and the host of the process that a lock's name says. */
function holderOf(name: string): { readonly pid: number; readonly host: string } {
  const [pid = '', ...host] = name.slice(prefix.length).split('-');
  return { pid: Number(pid), host: host.join('-') };
}

function isAtWork(name: string): boolean {
  const { pid, host } = holderOf(name);
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function inUse(path: string, name: string): UserLlmError {
  const { pid, host } = holderOf(name);
  return new UserLlmError('run-in-use', {
    what: path,
    expected: 'a folder in which nobody trains',
    got: `process ${pid} on ${host} at work there`,
    mend: `Wait for it or stop it, or train in another folder. If there is no such process any more, remove ${name} there.`,
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

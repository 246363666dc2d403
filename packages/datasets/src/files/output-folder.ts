import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { UserLlmError } from '@user-llm/tensor';

/** A folder that is made aside and takes its place whole, or not at all. */
export interface OutputFolder {
  /** Where the files that are to appear are written. */
  readonly path: string;
  /** Where everything else goes; it is gone in the end. */
  readonly scratch: string;
  /** Syncs the files and puts the folder in its place, in place of what stood there. */
  commit(): Promise<void>;
  /** Removes everything; without effect after `commit`. */
  discard(): Promise<void>;
}

const marker = '.preparing-';

/**
 * Begins a folder that will stand at `destination`.
 *
 * Work goes on in a folder beside it, on the same disk, so that one rename finishes it. What killed processes of this
 * machine left behind there is removed.
 *
 * @param belongs File whose presence says that a folder at `destination` may be replaced.
 * @throws UserLlmError `output-not-empty` when something else stands there, `output-not-writable`.
 */
export async function beginFolder(destination: string, belongs: string): Promise<OutputFolder> {
  const target = resolve(destination);
  await assertReplaceable(target, belongs);
  const aside = join(
    dirname(target),
    `.${basename(target)}${marker}${hostname()}-${process.pid}-${Date.now().toString(36)}`,
  );
  const [path, scratch] = [join(aside, 'result'), join(aside, 'scratch')];
  try {
    await mkdir(path, { recursive: true });
    await mkdir(scratch);
    await removeAbandoned(target);
  } catch (cause) {
    throw new UserLlmError('output-not-writable', {
      what: target,
      expected: 'a place that can be written to',
      got: String(cause),
      mend: 'Choose another output folder.',
      cause,
    });
  }
  return {
    path,
    scratch,
    commit: async () => {
      for (const name of await readdir(path)) await sync(join(path, name));
      await sync(path);
      if (await exists(target)) await rename(target, join(aside, 'replaced'));
      await rename(path, target);
      await sync(dirname(target));
      await rm(aside, { recursive: true, force: true });
    },
    discard: () => rm(aside, { recursive: true, force: true }),
  };
}

async function assertReplaceable(target: string, belongs: string): Promise<void> {
  if (!(await exists(target))) return;
  const found = await readdir(target).catch(() => undefined);
  if (found !== undefined && (found.length === 0 || found.includes(belongs))) return;
  throw new UserLlmError('output-not-empty', {
    what: target,
    expected: 'a folder that is new, empty, or a data set to replace',
    got: found === undefined ? 'a file' : `a folder with ${found.length} other files`,
    mend: 'Choose another output folder.',
  });
}

/** Removes what processes that are no more have left beside the target, after what one had just taken away is back. */
async function removeAbandoned(target: string): Promise<void> {
  const prefix = `.${basename(target)}${marker}${hostname()}-`;
  for (const name of await readdir(dirname(target))) {
    if (!name.startsWith(prefix)) continue;
    if (isAlive(Number(name.slice(prefix.length).split('-')[0]))) continue;
    const aside = join(dirname(target), name);
    const replaced = join(aside, 'replaced');
    if (!(await exists(target)) && (await exists(replaced))) await rename(replaced, target);
    await rm(aside, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

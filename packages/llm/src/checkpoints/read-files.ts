import { open, readdir, readFile, type FileHandle } from 'node:fs/promises';
import { UserLlmError } from '@user-llm/tensor';

/** Bytes that are asked for at once; Node reads at most 2 GiB. */
const bytesAtOnce = 2 ** 26;

/** A file whole. @throws UserLlmError `unreadable-file`. */
export async function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
}

/** A file's bytes, or nothing where there is none. @throws UserLlmError `unreadable-file` for what is there. */
export async function readBytesIfThere(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch((cause: unknown) => {
    if ((cause as { code?: string }).code === 'ENOENT') return undefined;
    throw unreadable(path, cause);
  });
}

/** The names in a folder. @throws UserLlmError `unreadable-file`. */
export async function filesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch((cause: unknown) => {
    throw unreadable(folder, cause);
  });
}

/** A file to be read part by part, and closed. @throws UserLlmError `unreadable-file`. */
export async function openFile(path: string): Promise<FileHandle> {
  return open(path, 'r').catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
}

/**
 * Some bytes of an open file, in memory of their own.
 *
 * @param path For messages.
 * @throws UserLlmError `unreadable-file` when the file ends before them, `too-large` when there is no memory for them.
 */
export async function readAt(
  path: string,
  file: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = allocated(path, length);
  for (let at = 0; at < length;) {
    const wanted = Math.min(length - at, bytesAtOnce);
    const { bytesRead } = await file.read(bytes, at, wanted, position + at).catch((cause: unknown) => {
      throw unreadable(path, cause);
    });
    if (bytesRead === 0) throw unreadable(path, 'a file that was cut while it was read');
    at += bytesRead;
  }
  return bytes;
}

function allocated(path: string, length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    throw new UserLlmError('too-large', {
      what: path,
      expected: `memory for ${length} bytes`,
      got: cause instanceof Error ? cause.message : String(cause),
      mend: 'Use a machine with more memory, or a smaller model.',
      cause,
    });
  }
}

/** The error of what the file system refuses. */
export function unreadable(path: string, cause: unknown): UserLlmError {
  return new UserLlmError('unreadable-file', {
    what: path,
    expected: 'a file that can be read',
    got: cause instanceof Error ? cause.message : String(cause),
    mend: 'Check the path.',
    cause,
  });
}

/** What JSON says. @throws UserLlmError `bad-checkpoint` when it is none. */
export function parseJson(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new UserLlmError('bad-checkpoint', {
      what: path,
      expected: 'JSON',
      got: cause instanceof Error ? cause.message : String(cause),
      mend: 'Fetch the file again: it is damaged or cut short.',
      cause,
    });
  }
}

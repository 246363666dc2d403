import { readFile } from 'node:fs/promises';
import { UserLlmError } from '@user-llm/tensor';

/** A file whole. @throws UserLlmError `unreadable-file`. */
export async function readBytes(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    throw new UserLlmError('unreadable-file', {
      what: path,
      expected: 'a file that can be read',
      got: cause instanceof Error ? cause.message : String(cause),
      mend: 'Check the path.',
      cause,
    });
  });
}

/** A file's bytes, or nothing where there is none. */
export async function readBytesIfThere(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch((cause: unknown) => {
    if ((cause as { code?: string }).code === 'ENOENT') return undefined;
    throw cause;
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

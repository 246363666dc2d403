import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UserLlmError } from '@user-llm/tensor';

const chunkBytes = 1 << 20;

/** Whether a path is an address that only an engine can read. */
export const isAddress = (path: string): boolean => /^[a-z][a-z0-9+.-]+:\/\//i.test(path);

/** Whether a file is compressed by gzip, by its name. */
export const isGzip = (path: string): boolean => path.toLowerCase().endsWith('.gz');

/**
 * The bytes of a file in chunks, decompressed when its name ends in `.gz`.
 *
 * @param onRaw Is told the bytes as they lie on the disk.
 * @throws UserLlmError `file-not-found`, `file-not-readable`, `truncated-gzip` or `bad-gzip`.
 */
export async function* readBytes(path: string, onRaw?: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  const raw = createReadStream(path, { highWaterMark: chunkBytes });
  if (onRaw) raw.on('data', (chunk) => onRaw(chunk as Buffer));
  let stream: Readable = raw;
  if (isGzip(path)) {
    const gunzip = createGunzip({ chunkSize: chunkBytes });
    raw.on('error', (error) => gunzip.destroy(error));
    stream = raw.pipe(gunzip);
  }
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    throw explainReadFailure(path, error);
  } finally {
    raw.destroy();
  }
}

/** A failure of reading a file as an error of this project. */
export function explainReadFailure(path: string, cause: unknown): unknown {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  switch (code) {
    case 'ENOENT':
      return new UserLlmError('file-not-found', {
        what: path,
        expected: 'a file or folder that exists',
        mend: 'Check the path.',
        cause,
      });
    case 'EACCES':
    case 'EPERM':
      return new UserLlmError('file-not-readable', {
        what: path,
        expected: 'permission to read',
        got: 'none',
        mend: 'Check the permissions of the file and of its folders.',
        cause,
      });
    case 'Z_BUF_ERROR':
      return new UserLlmError('truncated-gzip', {
        what: path,
        expected: 'a whole gzip file',
        got: 'one that ends too early',
        mend: 'Download or copy it again.',
        cause,
      });
    case 'Z_DATA_ERROR':
      return new UserLlmError('bad-gzip', {
        what: path,
        expected: 'a gzip file',
        got: String((cause as Error).message),
        mend: 'Download it again, or rename it when it is not compressed.',
        cause,
      });
    default:
      return cause;
  }
}

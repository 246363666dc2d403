import { createHash } from 'node:crypto';
import { UserLlmError } from '@user-llm/tensor';
import { isAddress, readBytes } from './read-bytes.js';
import { EncodingDetector, type TextEncoding } from './text-encoding.js';

/** What a raw file is made of. */
export interface FileFacts {
  /** Size as it lies on the disk, compressed or not. */
  readonly bytes: number;
  /** SHA-256 of those bytes, in hexadecimal. */
  readonly sha256: string;
  /** Encoding of a text file. */
  readonly encoding?: TextEncoding;
}

/**
 * Reads a raw file once, whole, before anything is made of it: its hash, its encoding, and whether it is whole.
 *
 * @param options.text Whether it holds text, whose encoding is to be found.
 * @returns Nothing for an address, which is read by the engine alone.
 * @throws UserLlmError `empty-file`, `truncated-gzip`, `bad-gzip`, `file-not-found`, `file-not-readable`.
 */
export async function inspectFile(
  path: string,
  {
    text,
    signal,
    onBytes,
  }: { readonly text: boolean; readonly signal?: AbortSignal | undefined; onBytes?(bytes: number): void },
): Promise<FileFacts | undefined> {
  if (isAddress(path)) return undefined;
  const hash = createHash('sha256');
  const detector = new EncodingDetector();
  let [bytes, content] = [0, 0];
  const onRaw = (chunk: Buffer) => {
    bytes += chunk.length;
    hash.update(chunk);
    onBytes?.(chunk.length);
  };
  for await (const chunk of readBytes(path, onRaw)) {
    signal?.throwIfAborted();
    content += chunk.length;
    if (text) detector.push(chunk);
  }
  if (content === 0) {
    throw new UserLlmError('empty-file', {
      what: path,
      expected: 'rows',
      got: 'an empty file',
      mend: 'Download or copy it again.',
    });
  }
  return { bytes, sha256: hash.digest('hex'), ...(text && { encoding: detector.finish() }) };
}

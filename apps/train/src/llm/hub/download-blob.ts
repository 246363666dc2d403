import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import { UserLlmError } from '@user-llm/tensor';
import type { HubFile } from './model-files.js';
import { noNetwork, request } from './request.js';
import type { HubSettings } from './settings.js';

/** Tries of one file, each of which goes on where the one before ended. */
const tries = 3;

/** What is to be fetched, and where it goes. */
export interface BlobRequest {
  readonly settings: HubSettings;
  /** Behind the endpoint. */
  readonly path: string;
  readonly file: HubFile;
  /** Where the whole file will be; beside it, with `.incomplete`, what is there so far. */
  readonly target: string;
  readonly signal?: AbortSignal;
  /** Told how many bytes of the file are there. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Fetches a file that is not there yet, from where an earlier download ended, and checks its hash.
 *
 * @throws UserLlmError `bad-download` when the content is not what the Hub says (it is then removed), and what `request`
 *   throws.
 */
export async function downloadBlob(wanted: BlobRequest): Promise<void> {
  const { target, file, signal } = wanted;
  if ((await sizeOf(target)) === file.size) return;
  const incomplete = `${target}.incomplete`;
  for (let left = tries - 1; ; left--) {
    try {
      await fetchRest(wanted, incomplete);
      break;
    } catch (error) {
      signal?.throwIfAborted();
      if (left === 0 || !UserLlmError.isInstance(error, 'no-network')) throw error;
    }
  }
  const hash = await hashOf(incomplete, file);
  if (hash !== file.hash) {
    await rm(incomplete);
    throw new UserLlmError('bad-download', {
      what: file.name,
      expected: `content with the hash ${file.hash}`,
      got: hash,
      mend: 'It was removed: download it again.',
    });
  }
  await rename(incomplete, target);
}

/** Fetches what is missing of a file; throws `no-network` when not all of it came. */
async function fetchRest({ settings, path, file, signal, onBytes }: BlobRequest, incomplete: string): Promise<void> {
  const there = await sizeOf(incomplete);
  if (there === file.size) return;
  const from = there > file.size ? 0 : Math.max(there, 0);
  const url = settings.endpoint + path;
  const response = await request(settings, path, { from, ...(signal && { signal }) });
  const goesOn = response.status === 206;
  const output = await open(incomplete, goesOn ? 'a' : 'w');
  let bytes = goesOn ? from : 0;
  try {
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > file.size) throw new Error(`more than the ${file.size} bytes that the file has`);
      await output.write(chunk).catch((cause: unknown) => {
        throw writeFailed(incomplete, cause);
      });
      onBytes?.(bytes);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw UserLlmError.isInstance(cause) ? cause : noNetwork(url, cause);
  } finally {
    await output.close();
  }
  if (bytes < file.size) throw noNetwork(url, new Error(`${bytes} of ${file.size} bytes`));
}

function writeFailed(path: string, cause: unknown): UserLlmError {
  return new UserLlmError('write-failed', {
    what: path,
    expected: 'a file that can be written',
    got: cause instanceof Error ? cause.message : String(cause),
    mend: 'Free space, or set HF_HOME to another disk. The same command goes on where this one ended.',
    cause,
  });
}

/** Of a file, in bytes; -1 where there is none. */
async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? -1;
}

/** SHA-256 where the Hub has that (files in LFS), else the name that git gives the content. */
async function hashOf(path: string, { hash, size }: HubFile): Promise<string> {
  const digest = createHash(hash.length === 64 ? 'sha256' : 'sha1');
  if (hash.length === 40) digest.update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path)) digest.update(chunk as Uint8Array);
  return digest.digest('hex');
}

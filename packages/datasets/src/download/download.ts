import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { publishedFiles, type PublishedFile } from './catalogue.js';
import { isUnreachable, wrongChecksum } from './failures.js';
import { fetchFile, type FetchOptions } from './fetch-file.js';
import { request } from './request.js';
import { unzip } from './unzip.js';

/** How far a download is. */
export interface DownloadProgress {
  /** Name of the file. */
  readonly file: string;
  readonly step: 'fetch' | 'check' | 'unpack';
  /** Bytes that are here, and how many there are where the server says. */
  readonly bytes?: number;
  readonly of?: number;
}

/** What `download` takes. */
export interface DownloadOptions extends Pick<FetchOptions, 'signal' | 'retries' | 'retryDelay'> {
  /** Folder for the raw files; made when there is none. */
  readonly output: string;
  /** Address of a folder with the same files, in place of the publisher's. */
  readonly mirror?: string;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** A file of a publisher that is here now. */
export interface DownloadedFile {
  readonly path: string;
  readonly address: string;
  readonly bytes: number;
  /** Whether its MD5 is the one that the publisher gives; false where none was to be had. */
  readonly checked: boolean;
  /** The files that were in it, when it is an archive. */
  readonly unpacked: readonly string[];
}

/**
 * Fetches the raw files of a published data set, checks and unpacks them: MovieLens (GroupLens), Amazon Reviews and
 * Google Local (McAuley Lab). A file that is there already is not fetched again, so one that came by other ways is
 * taken; a download that was cut goes on where it was.
 *
 * @param name Such as `ml-25m`, `amazon-2018/Movies_and_TV_5`, `google-local/Hawaii`; see `downloadNames`.
 * @throws UserLlmError `unknown-download`, `no-network` (it says which file to put where), `download-not-found`,
 *   `download-failed`, `wrong-checksum`, `bad-zip`.
 */
export async function download(name: string, options: DownloadOptions): Promise<readonly DownloadedFile[]> {
  const files = publishedFiles(name);
  await mkdir(options.output, { recursive: true });
  const downloaded: DownloadedFile[] = [];
  for (const file of files) downloaded.push(await downloadFile(file, options));
  return downloaded;
}

async function downloadFile(published: PublishedFile, options: DownloadOptions): Promise<DownloadedFile> {
  const { output, signal, onProgress } = options;
  const file = fileName(published.address);
  const from = (address: string) =>
    options.mirror === undefined ? address : `${options.mirror.replace(/\/$/, '')}/${fileName(address)}`;
  const address = from(published.address);
  const path = join(output, file);
  const wasHere = await exists(path);
  if (!wasHere) {
    onProgress?.({ file, step: 'fetch' });
    await fetchFile(address, path, {
      signal,
      retries: options.retries,
      retryDelay: options.retryDelay,
      onBytes: (bytes, of) => onProgress?.({ file, step: 'fetch', bytes, ...(of !== undefined && { of }) }),
    });
  }
  onProgress?.({ file, step: 'check' });
  const expected = published.md5 && (await readMd5(from(published.md5), signal));
  if (expected !== undefined) {
    const found = await md5Of(path, signal);
    if (found !== expected) {
      if (!wasHere) await rm(path);
      throw wrongChecksum(path, expected, found, wasHere);
    }
  }
  const zipped = path.endsWith('.zip');
  if (zipped) onProgress?.({ file, step: 'unpack' });
  return {
    path,
    address,
    bytes: (await stat(path)).size,
    checked: expected !== undefined,
    unpacked: zipped ? await unzip(path, output, signal) : [],
  };
}

const fileName = (address: string) => address.slice(address.lastIndexOf('/') + 1);

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The MD5 in a text such as `MD5 (ml-25m.zip) = 6b51...`; nothing where there is no such text. */
async function readMd5(address: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  try {
    const answer = await request(address, {}, signal);
    const content = await text(answer);
    return answer.statusCode === 200 ? /\b[0-9a-f]{32}\b/i.exec(content)?.[0].toLowerCase() : undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (isUnreachable(error)) return undefined;
    throw error;
  }
}

async function md5Of(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('md5');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    signal?.throwIfAborted();
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}

import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { UserLlmError } from '@user-llm/tensor';
import { open, type Entry, type ZipFile } from 'yauzl';
import { explainWriteFailure } from '../files/explain-write-failure.js';

/**
 * Unpacks the files of a zip archive right into a folder, without the folders inside the archive.
 *
 * Each file is checked and appears whole.
 *
 * @returns Paths of the files, sorted.
 * @throws UserLlmError `bad-zip` when the archive is damaged, `disk-full`.
 */
export async function unzip(path: string, folder: string, signal?: AbortSignal): Promise<readonly string[]> {
  const aside = join(dirname(path), `.${basename(path)}.unpacking`);
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true });
  try {
    for await (const [zip, entry] of entriesOf(path)) {
      // Names of folders end in a slash; the reader has refused names that lead elsewhere.
      if (!entry.fileName.endsWith('/')) await unpack(zip, entry, join(aside, basename(entry.fileName)), signal);
    }
    const names = (await readdir(aside)).sort();
    for (const name of names) await rename(join(aside, name), join(folder, name));
    return names.map((name) => join(folder, name));
  } catch (cause) {
    signal?.throwIfAborted();
    const explained = explainWriteFailure(folder, cause);
    if (UserLlmError.isInstance(explained)) throw explained;
    throw badZip(path, cause instanceof Error ? cause.message : String(cause), cause);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function* entriesOf(path: string): AsyncGenerator<readonly [ZipFile, Entry]> {
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    open(path, { lazyEntries: true, autoClose: false }, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  try {
    for (;;) {
      const entry = await nextEntry(zip);
      if (entry === undefined) return;
      yield [zip, entry];
    }
  } finally {
    zip.close();
  }
}

function nextEntry(zip: ZipFile): Promise<Entry | undefined> {
  return new Promise((resolve, reject) => {
    const done = (settle: () => void) => () => {
      zip.removeAllListeners();
      settle();
    };
    zip.once('entry', (entry: Entry) => {
      done(() => {
        resolve(entry);
      })();
    });
    zip.once(
      'end',
      done(() => {
        resolve(undefined);
      }),
    );
    zip.once('error', (error: Error) => {
      done(() => {
        reject(error);
      })();
    });
    zip.readEntry();
  });
}

async function unpack(zip: ZipFile, entry: Entry, to: string, signal: AbortSignal | undefined): Promise<void> {
  const content = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
  let sum = 0;
  const summing = new Transform({
    transform(chunk: Buffer, _, done) {
      sum = crc32(chunk, sum);
      done(null, chunk);
    },
  });
  await pipeline(content, summing, createWriteStream(to, { flags: 'wx' }), { ...(signal && { signal }) });
  if (sum !== entry.crc32) throw badZip(entry.fileName, 'another checksum than the archive says');
}

const badZip = (what: string, got: string, cause?: unknown) =>
  new UserLlmError('bad-zip', {
    what,
    expected: 'a whole zip archive',
    got,
    mend: 'Delete the archive and fetch it again.',
    ...(cause !== undefined && { cause }),
  });

import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { basename, dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { writeFileAtomically } from '@user-llm/tensor';
import { explainWriteFailure } from '../files/explain-write-failure.js';
import { badAnswer, brokenOff, isUnreachable, noNetwork } from './failures.js';
import { patience, request } from './request.js';

/** How a file is fetched. */
export interface FetchOptions {
  readonly signal?: AbortSignal | undefined;
  /** Times that a cut connection is taken up again without any progress; 5 when absent. */
  readonly retries?: number | undefined;
  /** Milliseconds before the first of them, twice as many before each next; 1,000 when absent. */
  readonly retryDelay?: number | undefined;
  /** Is told the bytes that are here, and of how many where the server says. */
  onBytes?(bytes: number, of: number | undefined): void;
}

/** What must not have changed on the server for a file to be gone on with. */
interface Validator {
  readonly address: string;
  readonly validator: string;
}

/**
 * Fetches a file, and goes on where an earlier try was cut, in this process or another.
 *
 * What is here so far stands beside `path` as `.NAME.part`; `path` itself appears whole.
 *
 * @throws UserLlmError `no-network`, `download-not-found`, `download-failed`, `disk-full`.
 */
export async function fetchFile(address: string, path: string, options: FetchOptions): Promise<void> {
  const { signal, retries = 5, retryDelay = 1000 } = options;
  const part = join(dirname(path), `.${basename(path)}.part`);
  let failures = 0;
  for (;;) {
    const before = await sizeOf(part);
    try {
      await goOn(address, part, options);
      break;
    } catch (error) {
      signal?.throwIfAborted();
      if (!isCut(error))
        throw isUnreachable(error) ? noNetwork(address, path, error) : explainWriteFailure(path, error);
      const bytes = await sizeOf(part);
      failures = bytes > before ? 1 : failures + 1;
      if (failures > retries) throw brokenOff(address, bytes, error);
      await wait(retryDelay * 2 ** (failures - 1), undefined, { signal });
    }
  }
  await rename(part, path);
  await rm(`${part}.json`, { force: true });
}

/** Whether a connection that stood was lost; the network may come back. */
function isCut(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  return ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'BODY_TIMEOUT', 'BODY_SHORT'].includes(code);
}

/** Appends to a part what it lacks. */
async function goOn(address: string, part: string, { signal, onBytes }: FetchOptions): Promise<void> {
  const known = await readValidator(part);
  const have = known?.address === address ? await sizeOf(part) : 0;
  const resuming = have > 0 && known !== undefined;
  const answer = await request(
    address,
    resuming ? { range: `bytes=${have}-`, 'if-range': known.validator } : {},
    signal,
  );
  const status = answer.statusCode ?? 0;
  if (status === 416 && resuming) {
    // Nothing is lacking, or the part is longer than the file.
    answer.destroy();
    if (/\/(\d+)$/.exec(answer.headers['content-range'] ?? '')?.[1] === String(have)) return;
    await rm(part, { force: true });
    return goOn(address, part, { signal, ...(onBytes && { onBytes }) });
  }
  if (status !== 200 && status !== 206) {
    answer.destroy();
    throw badAnswer(address, status);
  }
  const from = status === 206 ? have : 0;
  if (from === 0) await keepValidator(address, part, answer);
  const length = answer.headers['content-length'];
  const total = length === undefined ? undefined : from + Number(length);
  await append(answer, part, from, total, onBytes);
}

async function append(
  answer: IncomingMessage,
  part: string,
  from: number,
  total: number | undefined,
  onBytes: FetchOptions['onBytes'],
): Promise<void> {
  answer.setTimeout(patience, () => answer.destroy(failure('BODY_TIMEOUT', 'the server is silent')));
  const file = await open(part, from === 0 ? 'w' : 'r+');
  let here = from;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      for (let written = 0; written < chunk.length;) {
        const { bytesWritten } = await file.write(chunk, written, chunk.length - written, here);
        written += bytesWritten;
        here += bytesWritten;
      }
      onBytes?.(here, total);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (total !== undefined && here < total) throw failure('BODY_SHORT', 'the end of the connection');
}

const failure = (code: string, message: string) => Object.assign(new Error(message), { code });

/** Remembers how to ask the server whether its file is still the same; without that, a cut file begins anew. */
async function keepValidator(address: string, part: string, { headers }: IncomingMessage): Promise<void> {
  const strong = headers.etag?.startsWith('W/') ? undefined : headers.etag;
  const validator = strong ?? headers['last-modified'];
  if (validator === undefined) return rm(`${part}.json`, { force: true });
  await writeFileAtomically(`${part}.json`, JSON.stringify({ address, validator } satisfies Validator));
}

async function readValidator(part: string): Promise<Validator | undefined> {
  const text = await readFile(`${part}.json`, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Validator);
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { isUtf8 } from 'node:buffer';
import { finished } from 'node:stream/promises';
import { pythonToJson } from './python-literal.js';
import { readBytes } from './read-bytes.js';
import { readLines } from './read-lines.js';
import { decodeLine, type TextEncoding } from './text-encoding.js';

/** How a text file was rewritten before an engine read it. */
export interface Normalization {
  /** Lines that were not UTF-8 and were read as Windows-1252. */
  readonly windows1252Lines: number;
  /** Lines that were literals of Python and are JSON now. */
  readonly pythonLines: number;
}

const byteOrderMark = '\ufeff';

/**
 * Rewrites a text file as plain UTF-8 without a byte order mark, so that every engine reads the same characters.
 *
 * Lines that are not UTF-8 are read as Windows-1252 (old releases have titles in Latin-1); literals of Python become
 * JSON, and a line that is none stays as it is, for the engine to list as unreadable.
 */
export async function normalizeFile(
  from: string,
  to: string,
  { encoding, python }: { readonly encoding: TextEncoding; readonly python: boolean },
): Promise<Normalization> {
  const output = createWriteStream(to);
  const failed = new Promise<never>((_, reject) => output.once('error', reject));
  failed.catch(() => undefined);
  const counts = { windows1252Lines: 0, pythonLines: 0 };
  let batch = '';
  let first = true;
  const flush = async () => {
    const full = !output.write(batch);
    batch = '';
    if (full) await Promise.race([once(output, 'drain'), failed]);
  };
  for await (let line of encoding.startsWith('utf-16') ? wideLines(from, encoding) : narrowLines(from, counts)) {
    if (first && line.startsWith(byteOrderMark)) line = line.slice(1);
    first = false;
    if (python) {
      const json = pythonToJson(line);
      if (json !== undefined) counts.pythonLines += 1;
      line = json ?? line;
    }
    batch += `${line}\n`;
    if (batch.length > 1 << 18) await flush();
  }
  await flush();
  output.end();
  await Promise.race([finished(output), failed]);
  return counts;
}

async function* narrowLines(path: string, counts: { windows1252Lines: number }): AsyncGenerator<string> {
  for await (const line of readLines(path)) {
    if (!isUtf8(line)) counts.windows1252Lines += 1;
    yield decodeLine(line);
  }
}

async function* wideLines(path: string, encoding: TextEncoding): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  let rest = '';
  for await (const chunk of readBytes(path)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

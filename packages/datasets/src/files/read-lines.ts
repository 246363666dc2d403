import { readBytes } from './read-bytes.js';

const newline = 10;
const carriageReturn = 13;

/** The lines of a text file as bytes, without their ends, decompressed when its name ends in `.gz`. */
export async function* readLines(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer[] = [];
  for await (const chunk of readBytes(path)) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const piece = chunk.subarray(from, end);
      yield withoutReturn(rest.length > 0 ? Buffer.concat([...rest, piece]) : piece);
      rest = [];
      from = end + 1;
    }
    // A chunk is reused by no one, but a copy keeps only the unfinished line alive.
    if (from < chunk.length) rest.push(Buffer.from(chunk.subarray(from)));
  }
  if (rest.length > 0) yield withoutReturn(Buffer.concat(rest));
}

const withoutReturn = (line: Buffer) => (line.at(-1) === carriageReturn ? line.subarray(0, -1) : line);

import { decodeLine } from './text-encoding.js';
import { readLines } from './read-lines.js';

const byteOrderMark = '\ufeff';

/** The first line of a text file, decompressed, without its end and byte order mark; empty for an empty file. */
export async function firstLine(file: string): Promise<string> {
  for await (const line of readLines(file)) {
    const text =
      line[0] === 0xff && line[1] === 0xfe
        ? new TextDecoder('utf-16le').decode(line.subarray(0, line.length - (line.length % 2)))
        : decodeLine(line);
    return text.startsWith(byteOrderMark) ? text.slice(1) : text;
  }
  return '';
}

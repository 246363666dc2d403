import { decodeLine } from './text-encoding.js';
import { readLines } from './read-lines.js';

const byteOrderMark = '\ufeff';

/** The first line of a text file, decompressed, without its end and byte order mark; empty for an empty file. */
export async function firstLine(file: string): Promise<string> {
  for await (const line of readLines(file)) {
    const text = decodeFirst(line);
    return text.startsWith(byteOrderMark) ? text.slice(1) : text;
  }
  return '';
}

/** The line ends within a character of UTF-16: what is left of that is cut off. */
function decodeFirst(line: Buffer): string {
  const whole = line.subarray(0, line.length - (line.length % 2));
  if (line[0] === 0xff && line[1] === 0xfe) return new TextDecoder('utf-16le').decode(whole);
  if (line[0] === 0xfe && line[1] === 0xff) return new TextDecoder('utf-16be').decode(whole);
  return decodeLine(line);
}

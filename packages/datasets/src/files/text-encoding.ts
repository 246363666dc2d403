import { isUtf8 } from 'node:buffer';

/** How the bytes of a text file stand for characters; `mixed` is UTF-8 with other lines among it. */
export type TextEncoding = 'utf-8' | 'utf-8-bom' | 'utf-16le' | 'utf-16be' | 'mixed';

/** Finds out the encoding of a text from its bytes, chunk by chunk. */
export class EncodingDetector {
  private mark: TextEncoding | undefined;
  private valid = true;
  private carried: Buffer = Buffer.alloc(0);

  /** Looks at the next bytes. */
  push(chunk: Buffer): void {
    this.mark ??= byteOrderMark(chunk);
    if (!this.valid || this.mark.startsWith('utf-16')) return;
    const bytes = this.carried.length > 0 ? Buffer.concat([this.carried, chunk]) : chunk;
    const end = bytes.length - unfinishedBytes(bytes);
    this.valid = isUtf8(bytes.subarray(0, end));
    this.carried = Buffer.from(bytes.subarray(end));
  }

  /** The encoding of all that was looked at. */
  finish(): TextEncoding {
    const mark = this.mark ?? 'utf-8';
    if (mark.startsWith('utf-16')) return mark;
    return this.valid && this.carried.length === 0 ? mark : 'mixed';
  }
}

function byteOrderMark(bytes: Buffer): TextEncoding {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8-bom';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/** How many bytes at the end begin a character that goes on in the next chunk: 0 to 3. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}

const windows1252 = new TextDecoder('windows-1252');

/** A line as text: as UTF-8 where it is that, else as Windows-1252, of which Latin-1 is a part. */
export const decodeLine = (line: Buffer): string => (isUtf8(line) ? line.toString('utf8') : windows1252.decode(line));

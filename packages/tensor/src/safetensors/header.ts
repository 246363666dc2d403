import { UserLlmError } from '../errors.js';
import { formatBits } from './formats.js';
import { parseStrictJson, type Json } from './json.js';

/** The longest header, in bytes, that the reference implementation reads. */
export const maxHeaderBytes = 100_000_000;

/** Where a tensor is in a safetensors file. */
export interface SafetensorsEntry {
  /** What the file calls the dtype: `F32`, `BF16`, `F8_E4M3`... */
  readonly format: string;
  readonly shape: readonly number[];
  /** Offset of the first byte after the header. */
  readonly begin: number;
  /** Offset of the byte after the last. */
  readonly end: number;
}

/** What the header of a safetensors file says. */
export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  /** By name, in the order of the data. */
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
}

/** The error of a file that is not a whole and consistent safetensors file. */
export function badFile(path: string, expected: string, got: string, cause?: unknown): UserLlmError {
  return new UserLlmError('bad-safetensors', {
    what: path,
    expected,
    got,
    mend: 'Fetch or write the file again: it is damaged, cut short, or no safetensors file.',
    cause,
  });
}

/**
 * The length of the header that the first eight bytes of a file announce.
 *
 * @param fileBytes The length of the whole file.
 * @throws UserLlmError `bad-safetensors` when no such header fits in the file, or it is longer than 100 MB.
 */
export function headerLength(path: string, start: Uint8Array, fileBytes: number): number {
  if (start.length < 8) {
    throw badFile(path, 'at least 8 bytes', `${fileBytes}`);
  }
  const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  const most = Math.min(maxHeaderBytes, fileBytes - 8);
  if (length > BigInt(most)) {
    throw badFile(path, `a header of at most ${most} bytes in this file of ${fileBytes}`, `${length}`);
  }
  return Number(length);
}

/**
 * The header of a file, checked in full: UTF-8 and JSON without repeated keys, known formats, as many bytes as
 * shape and format need, and data that are covered by the tensors with no hole, no overlap and nothing after them.
 *
 * @param bytes The header, without the eight bytes before it.
 * @param dataBytes How many bytes the file has after the header.
 * @throws UserLlmError `bad-safetensors` for anything else.
 */
export function parseHeader(path: string, bytes: Uint8Array, dataBytes: number): SafetensorsHeader {
  const root = parseJson(path, bytes);
  let metadata: ReadonlyMap<string, string> = new Map();
  const unordered: (readonly [string, SafetensorsEntry])[] = [];
  for (const [name, value] of root) {
    if (name === '__metadata__') {
      metadata = checkMetadata(path, value);
    } else {
      unordered.push([name, checkEntry(`${path}: ${name}`, value)]);
    }
  }
  const entries = unordered.sort(([, left], [, right]) => left.begin - right.begin || left.end - right.end);
  let covered = 0;
  for (const [name, { begin, end }] of entries) {
    if (begin !== covered) {
      throw badFile(`${path}: ${name}`, `data from byte ${covered}, where the tensor before ends`, `${begin}`);
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    throw badFile(path, `${covered} bytes after the header`, `${dataBytes}`);
  }
  return { metadata, entries: new Map(entries) };
}

function parseJson(path: string, bytes: Uint8Array): ReadonlyMap<string, Json> {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const root = parseStrictJson(text, 3);
    if (text.startsWith('{') && root instanceof Map) {
      return root;
    }
  } catch (cause) {
    throw badFile(path, 'a header of JSON in UTF-8', cause instanceof Error ? cause.message : String(cause), cause);
  }
  throw badFile(path, 'a header that starts with {', 'another character');
}

function checkMetadata(path: string, value: Json): ReadonlyMap<string, string> {
  if (!(value instanceof Map) || ![...value.values()].every((text) => typeof text === 'string')) {
    throw badFile(`${path}: __metadata__`, 'an object of strings', describe(value));
  }
  return value as ReadonlyMap<string, string>;
}

function checkEntry(what: string, value: Json): SafetensorsEntry {
  if (!(value instanceof Map) || value.size !== 3) {
    throw badFile(what, 'an object of dtype, shape and data_offsets', describe(value));
  }
  const [format, shape, offsets] = ['dtype', 'shape', 'data_offsets'].map((key) =>
    (value as Map<string, Json>).get(key),
  );
  const bits = typeof format === 'string' ? formatBits.get(format) : undefined;
  if (typeof format !== 'string' || bits === undefined) {
    throw badFile(what, `a dtype among ${[...formatBits.keys()].join(', ')}`, describe(format));
  }
  if (!isCounts(shape)) {
    throw badFile(what, 'a shape of whole numbers from 0 up', describe(shape));
  }
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw badFile(what, 'two data_offsets, the lower first', describe(offsets));
  }
  const [begin, end] = offsets as [number, number];
  let bytes = bits / 8;
  for (const size of shape) {
    bytes *= size;
    if (!Number.isSafeInteger(bytes * 8)) {
      throw badFile(what, 'fewer than 2^50 bytes', describe(shape));
    }
  }
  if (bytes !== end - begin) {
    throw badFile(what, `${bytes} bytes for ${format} ${describe(shape)}`, `${end - begin}`);
  }
  return { format, shape, begin, end };
}

function isCounts(value: Json | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && (count as number) >= 0);
}

function describe(value: Json | undefined): string {
  const plain: unknown = value instanceof Map ? Object.fromEntries(value) : value;
  return String(JSON.stringify(plain)).slice(0, 200);
}

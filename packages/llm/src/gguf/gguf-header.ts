import { UserLlmError } from '@user-llm/tensor';
import { tensorKinds, type TensorKind } from './tensor-kinds.js';

/** What a metadata key of a GGUF file says. */
export type GgufValue = number | string | boolean | readonly GgufValue[];

/** Where a tensor lies in a GGUF file. */
export interface GgufEntry {
  readonly kind: TensorKind;
  /** Outermost axis first, the other way round than the file has it. */
  readonly shape: readonly number[];
  /** Bytes of the file. */
  readonly begin: number;
  readonly end: number;
}

/** What a GGUF file says before its data. */
export interface GgufHeader {
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly entries: ReadonlyMap<string, GgufEntry>;
}

/** The header is longer than the bytes that were given, and may be whole in the file. */
export class HeaderGoesOn extends Error {}

/** Lists longer than this are no vocabulary. */
const mostElements = 2 ** 24;
/** Bytes of a header: no vocabulary needs more, and no more are read of a file that says it has them. */
const mostHeaderBytes = 100_000_000;
/** Bytes of a name, as the format says of metadata keys. */
const mostNameBytes = 65_535;
const text = 8;
const list = 9;
/** Bytes of each type's shortest value, by the type's number. */
const leastBytes: readonly number[] = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8];

/**
 * The header of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), versions 2 and 3. Counts and
 * lengths are held against the size of the file before anything is made of them.
 *
 * @param bytes The file's beginning.
 * @param size Of the whole file, in bytes.
 * @throws HeaderGoesOn when more bytes are needed; UserLlmError `bad-checkpoint` when it is no such file, damaged or
 *   cut short, `unsupported-quantization` for a tensor of a kind that is not read.
 */
export function parseGgufHeader(path: string, bytes: Uint8Array, size: number): GgufHeader {
  const reader = new HeaderReader(path, bytes, size);
  if (reader.latin(4) !== 'GGUF') throw reader.bad('a file that begins with GGUF', 'another beginning');
  const version = reader.uint32();
  if (version !== 2 && version !== 3)
    throw reader.bad('version 2 or 3, little-endian', version > 0xffff ? 'a big-endian file' : `version ${version}`);
  const tensors = reader.count('tensors', 24);
  const keys = reader.count('metadata keys', 13);
  const metadata = new Map<string, GgufValue>();
  for (let at = 0; at < keys; at++) {
    const key = reader.name();
    if (metadata.has(key)) throw reader.bad('different metadata keys', `${JSON.stringify(key)} twice`);
    metadata.set(key, reader.value(reader.uint32()));
  }
  const found = Array.from({ length: tensors }, () => tensorInfo(reader));
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || !Number.isInteger(Math.log2(alignment)) || alignment < 8 || alignment > 2 ** 20)
    throw reader.bad('an alignment that is a power of two from 8', JSON.stringify(alignment));
  const start = Math.ceil(reader.at / alignment) * alignment;
  return { metadata, entries: placed(reader, found, start, alignment) };
}

interface TensorInfo extends Omit<GgufEntry, 'begin' | 'end'> {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

function tensorInfo(reader: HeaderReader): TensorInfo {
  const name = reader.name();
  const rank = reader.uint32();
  if (rank < 1 || rank > 4) throw reader.bad(`1 to 4 axes of ${JSON.stringify(name)}`, `${rank}`);
  const sizes = Array.from({ length: rank }, () => reader.uint64());
  const type = reader.uint32();
  const kind = tensorKinds.get(type);
  if (!kind)
    throw new UserLlmError('unsupported-quantization', {
      what: `${reader.path}: ${name}`,
      expected: `one of ${[...tensorKinds.values()].map((known) => known.name).join(', ')}`,
      got: `kind ${type}`,
      mend: 'Take a file of the model in one of these, such as Q8_0 or Q4_K_M.',
    });
  const elements = sizes.reduce((product, own) => product * own, 1);
  if (sizes.includes(0) || !Number.isSafeInteger(elements) || sizes[0]! % kind.elements !== 0)
    throw reader.bad(`sizes of ${JSON.stringify(name)} in blocks of ${kind.elements}`, `[${sizes.join(', ')}]`);
  const bytes = (elements / kind.elements) * kind.bytes;
  return { name, kind, shape: sizes.reverse(), offset: reader.uint64(), bytes };
}

/** The tensors by name, none of them beyond the file or over another. */
function placed(
  reader: HeaderReader,
  found: readonly TensorInfo[],
  start: number,
  alignment: number,
): Map<string, GgufEntry> {
  const entries = new Map<string, GgufEntry>();
  let reached = start;
  for (const { name, kind, shape, offset, bytes } of found.toSorted((a, b) => a.offset - b.offset)) {
    const [begin, end] = [start + offset, start + offset + bytes];
    if (entries.has(name)) throw reader.bad('different tensor names', `${JSON.stringify(name)} twice`);
    if (offset % alignment !== 0)
      throw reader.bad(`offsets that are multiples of ${alignment}`, `${offset} of ${name}`);
    if (begin < reached) throw reader.bad('tensors one after the other', `${name} over the one before`);
    if (end > reader.size) throw reader.bad(`${end} bytes, to the end of ${name}`, `${reader.size} bytes`);
    entries.set(name, { kind, shape, begin, end });
    reached = end;
  }
  return entries;
}

/** Reads the beginning of a file value by value, and never beyond its end. */
class HeaderReader {
  readonly path: string;
  readonly size: number;
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(path: string, bytes: Uint8Array, size: number) {
    this.path = path;
    this.size = size;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  bad(expected: string, got: string): UserLlmError {
    return new UserLlmError('bad-checkpoint', {
      what: this.path,
      expected,
      got,
      mend: 'Fetch the file again: it is damaged, cut short, or no GGUF file.',
    });
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A whole number that counts something. */
  uint64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.bad('a number below 2^53', `${value}`);
    return Number(value);
  }

  /** A number of things, each of at least so many bytes. */
  count(what: string, bytes: number): number {
    const count = this.uint64();
    if (count * bytes > this.size - this.at) throw this.bad(`${what} that fit into ${this.size} bytes`, `${count}`);
    return count;
  }

  latin(length: number): string {
    const from = this.#take(length);
    return String.fromCharCode(...this.#bytes.subarray(from, from + length));
  }

  /** A text that names something. */
  name(): string {
    return this.text(mostNameBytes);
  }

  text(most = mostHeaderBytes): string {
    const length = this.uint64();
    if (length > most) throw this.bad(`texts of at most ${most} bytes here`, `${length}`);
    const from = this.#take(length);
    return decoder.decode(this.#bytes.subarray(from, from + length));
  }

  value(type: number, depth = 0): GgufValue {
    if (type === text) return this.text();
    if (type === list) return this.#list(depth);
    const bytes = leastBytes[type];
    if (bytes === undefined) throw this.bad('metadata of types 0 to 12', `type ${type}`);
    const view = this.#view;
    const at = this.#take(bytes);
    switch (type) {
      case 0:
        return view.getUint8(at);
      case 1:
        return view.getInt8(at);
      case 2:
        return view.getUint16(at, true);
      case 3:
        return view.getInt16(at, true);
      case 4:
        return view.getUint32(at, true);
      case 5:
        return view.getInt32(at, true);
      case 6:
        return view.getFloat32(at, true);
      case 7:
        return view.getUint8(at) !== 0;
      case 10:
        return Number(view.getBigUint64(at, true));
      case 11:
        return Number(view.getBigInt64(at, true));
      default:
        return view.getFloat64(at, true);
    }
  }

  #list(depth: number): GgufValue[] {
    const type = this.uint32();
    const least = leastBytes[type];
    if (least === undefined || depth > 2) throw this.bad('lists of types 0 to 12, three deep at most', `type ${type}`);
    const count = this.count('values of a list', least);
    if (count > mostElements) throw this.bad(`lists of at most ${mostElements} values`, `${count}`);
    const values: GgufValue[] = [];
    for (let at = 0; at < count; at++) values.push(this.value(type, depth + 1));
    return values;
  }

  /** Where the next bytes begin; they are there. */
  #take(length: number): number {
    const from = this.at;
    if (from + length > this.size)
      throw this.bad('a whole header', `a file that ends within it, at ${this.size} bytes`);
    if (from + length > mostHeaderBytes)
      throw this.bad(`a header of at most ${mostHeaderBytes} bytes`, `${from + length} or more`);
    if (from + length > this.#bytes.length) throw new HeaderGoesOn();
    this.at = from + length;
    return from;
  }
}

const decoder = new TextDecoder();

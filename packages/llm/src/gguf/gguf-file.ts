import type { FileHandle } from 'node:fs/promises';
import { Tensor, UserLlmError } from '@user-llm/tensor';
import { openFile, readAt } from '../checkpoints/read-files.js';
import { packHalves, QuantizedMatrix, type Weight } from '../quantization/quantized-matrix.js';
import { HeaderGoesOn, parseGgufHeader, type GgufEntry, type GgufHeader, type GgufValue } from './gguf-header.js';
import type { BlockKind } from './tensor-kinds.js';
import type { UnpackedBlocks } from './unpacked-blocks.js';

/** Bytes of the file that are looked at first; twice as many while the header goes on. */
const firstBytes = 2 ** 22;

/** Numbers that are taken apart before they are put together: few enough for the caches of a processor. */
const numbersAtOnce = 2 ** 16;

/** An open GGUF file: the header is checked in full, tensors are read when asked for. */
export class GgufFile {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly entries: ReadonlyMap<string, GgufEntry>;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle, { metadata, entries }: GgufHeader) {
    this.path = path;
    this.metadata = metadata;
    this.entries = entries;
    this.#file = file;
  }

  /**
   * Opens a file; close it when done.
   *
   * @throws UserLlmError `unreadable-file`, and what `parseGgufHeader` throws.
   */
  static async open(path: string): Promise<GgufFile> {
    const file = await openFile(path);
    try {
      return new GgufFile(path, file, await readHeader(path, file));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** A tensor in real numbers. @throws UserLlmError `missing-weight`, `unreadable-file`, `too-large`. */
  async read(name: string): Promise<Tensor<'float32'>> {
    const entry = this.#entry(name);
    const bytes = await this.#bytes(entry);
    const { kind, shape } = entry;
    const axes = shape.map((_, axis) => `axis${axis}`);
    if ('unpack' in kind) return new Tensor('float32', axes, shape, toNumbers(kind, bytes));
    const stored = kind.dtype === 'float32' ? new Float32Array(bytes.buffer) : new Uint16Array(bytes.buffer);
    return new Tensor(kind.dtype, axes, shape, stored as never).cast('float32');
  }

  /** A matrix as it is stored where it is of few bits, else as `read` gives it. */
  async readStored(name: string): Promise<Weight> {
    const entry = this.#entry(name);
    const { kind, shape } = entry;
    if (!('unpack' in kind) || shape.length !== 2) return (await this.read(name)) as Tensor;
    return toMatrix(kind, shape[0]!, await this.#bytes(entry));
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #entry(name: string): GgufEntry {
    const entry = this.entries.get(name);
    if (entry) return entry;
    throw new UserLlmError('missing-weight', {
      what: `${this.path}: ${name}`,
      expected: 'a tensor of this name',
      got: 'none',
    });
  }

  async #bytes({ begin, end }: GgufEntry): Promise<Uint8Array<ArrayBuffer>> {
    return readAt(this.path, this.#file, begin, end - begin);
  }
}

async function readHeader(path: string, file: FileHandle): Promise<GgufHeader> {
  const { size } = await file.stat();
  for (let length = Math.min(firstBytes, size); ; length = Math.min(2 * length, size)) {
    const bytes = await readAt(path, file, 0, length);
    try {
      return parseGgufHeader(path, bytes, size);
    } catch (error) {
      if (!(error instanceof HeaderGoesOn)) throw error;
    }
  }
}

/** Takes the blocks of a tensor apart, some at a time in the same memory; `block` is the first of each part. */
function inParts(kind: BlockKind, bytes: Uint8Array, visit: (part: UnpackedBlocks, block: number) => void): void {
  const perUnit = kind.elements / kind.block;
  const units = Math.min(numbersAtOnce / kind.elements, bytes.length / kind.bytes);
  const codes = new Uint8Array(units * kind.elements);
  const [scales, minimums] = [new Float32Array(units * perUnit), new Float32Array(units * perUnit)];
  for (let from = 0; from < bytes.length; from += units * kind.bytes) {
    const own = bytes.subarray(from, from + units * kind.bytes);
    const count = own.length / kind.bytes;
    const part = {
      codes: codes.subarray(0, count * kind.elements),
      scales: scales.subarray(0, count * perUnit),
      minimums: minimums.subarray(0, count * perUnit),
    };
    kind.unpack(own, part);
    visit(part, (from / kind.bytes) * perUnit);
  }
}

function toNumbers(kind: BlockKind, bytes: Uint8Array): Float32Array {
  const numbers = new Float32Array((bytes.length / kind.bytes) * kind.elements);
  inParts(kind, bytes, (part, first) => {
    const from = first * kind.block;
    putTogether(kind, part, numbers.subarray(from, from + part.codes.length));
  });
  return numbers;
}

function putTogether(
  { block, zero }: BlockKind,
  { codes, scales, minimums }: UnpackedBlocks,
  numbers: Float32Array,
): void {
  for (let own = 0, at = 0; own < scales.length; own++) {
    const scale = scales[own]!;
    const minimum = minimums[own]!;
    for (const end = at + block; at < end; at++) numbers[at] = Math.fround(scale * (codes[at]! - zero)) + minimum;
  }
}

/** The same numbers with the middle of all codes for 0. */
function toMatrix(kind: BlockKind, rows: number, bytes: Uint8Array): QuantizedMatrix {
  const { bits, block, elements, zero } = kind;
  const count = ((bytes.length / kind.bytes) * elements) / block;
  const below = 2 ** (bits - 1) - zero;
  const scales = new Float32Array(count);
  const offsets = kind.minimums && new Float32Array(count);
  const codes = new Uint8Array((count * block * bits) / 8);
  inParts(kind, bytes, (part, first) => {
    scales.set(part.scales, first);
    const own = codes.subarray((first * block * bits) / 8);
    if (bits === 4) packHalves(part.codes, own);
    else part.codes.forEach((code, at) => (own[at] = code + below));
    if (!offsets) return;
    part.minimums.forEach((minimum, at) => (offsets[first + at] = minimum + below * part.scales[at]!));
  });
  return new QuantizedMatrix(kind, rows, codes, scales, offsets);
}

import { open, type FileHandle } from 'node:fs/promises';
import { Tensor, UserLlmError } from '@user-llm/tensor';
import { packHalves, QuantizedMatrix, type Weight } from '../quantization/quantized-matrix.js';
import { HeaderGoesOn, parseGgufHeader, type GgufEntry, type GgufHeader, type GgufValue } from './gguf-header.js';
import type { BlockKind } from './tensor-kinds.js';
import type { UnpackedBlocks } from './unpacked-blocks.js';

/** Bytes of the file that are looked at first; twice as many while the header goes on. */
const firstBytes = 2 ** 22;

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
    const file = await open(path, 'r').catch((cause: unknown) => {
      throw unreadable(path, cause);
    });
    try {
      return new GgufFile(path, file, await readHeader(path, file));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** A tensor in real numbers. @throws UserLlmError `missing-weight`, `unreadable-file`. */
  async read(name: string): Promise<Tensor<'float32'>> {
    const entry = this.#entry(name);
    const bytes = await this.#bytes(entry);
    const { kind, shape } = entry;
    const axes = shape.map((_, axis) => `axis${axis}`);
    if ('unpack' in kind) return new Tensor('float32', axes, shape, toNumbers(kind, kind.unpack(bytes)));
    const stored = kind.dtype === 'float32' ? new Float32Array(bytes.buffer) : new Uint16Array(bytes.buffer);
    return new Tensor(kind.dtype, axes, shape, stored as never).cast('float32');
  }

  /** A matrix as it is stored where it is of few bits, else as `read` gives it. */
  async readStored(name: string): Promise<Weight> {
    const entry = this.#entry(name);
    const { kind, shape } = entry;
    if (!('unpack' in kind) || shape.length !== 2) return (await this.read(name)) as Tensor;
    return toMatrix(kind, shape[0]!, kind.unpack(await this.#bytes(entry)));
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

async function readAt(
  path: string,
  file: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const { bytesRead } = await file.read(bytes, at, length - at, position + at).catch((cause: unknown) => {
      throw unreadable(path, cause);
    });
    if (bytesRead === 0) throw unreadable(path, 'a file that was cut while it was read');
    at += bytesRead;
  }
  return bytes;
}

function toNumbers({ block, zero }: BlockKind, unpacked: UnpackedBlocks): Float32Array {
  const { codes, scales, minimums } = unpacked;
  const numbers = new Float32Array(codes.length);
  for (let own = 0, at = 0; own < scales.length; own++) {
    const scale = scales[own]!;
    const minimum = minimums ? minimums[own]! : 0;
    for (const end = at + block; at < end; at++) numbers[at] = Math.fround(scale * (codes[at]! - zero)) + minimum;
  }
  return numbers;
}

/** The same numbers with the middle of all codes for 0. */
function toMatrix(kind: BlockKind, rows: number, { codes, scales, minimums }: UnpackedBlocks): QuantizedMatrix {
  if (kind.bits === 8) {
    const raised = kind.zero === 128 ? codes : codes.map((code) => code + 128 - kind.zero);
    return new QuantizedMatrix(kind, rows, raised, scales, minimums);
  }
  const middle = 8;
  const offsets = minimums?.map((minimum, own) => minimum + (middle - kind.zero) * scales[own]!);
  return new QuantizedMatrix(kind, rows, packHalves(codes), scales, offsets);
}

function unreadable(path: string, cause: unknown): UserLlmError {
  return new UserLlmError('unreadable-file', {
    what: path,
    expected: 'a file that can be read',
    got: cause instanceof Error ? cause.message : String(cause),
    mend: 'Check the path.',
    cause,
  });
}

import { open, stat, type FileHandle } from 'node:fs/promises';
import { totalmem } from 'node:os';
import type { Axes } from '../axes.js';
import { allocate, bytesPerElement, type BaseDType, type DType, type TypedArray } from '../dtype.js';
import { UserLlmError } from '../errors.js';
import { elements } from '../layout.js';
import { Tensor } from '../tensor.js';
import { dtypeOfFormat } from './formats.js';
import { badFile, headerLength, parseHeader, type SafetensorsEntry, type SafetensorsHeader } from './header.js';
import { checkByteOrder } from './byte-order.js';

/** How a tensor is wanted. */
export interface ReadOptions<D extends DType = DType, A extends Axes = Axes> {
  /** The axis names it gets; `axis0`, `axis1`, ... when absent. */
  readonly axes?: A;
  /** The dtype it is cast to; the file's own when absent. */
  readonly dtype?: D;
}

/** Tensors by name in one safetensors file, or in the shards of a checkpoint. */
export interface SafetensorsSource {
  /** Names of the tensors. */
  readonly names: readonly string[];
  /** Texts that the writer left. */
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * What is known of a tensor without reading it.
   *
   * @throws UserLlmError `unknown-tensor` when there is none of that name.
   */
  entry(name: string): SafetensorsEntry;
  /**
   * Reads one tensor, and nothing else of the file.
   *
   * @throws UserLlmError `unknown-tensor`; `unsupported-dtype` when tensors here cannot hold its format; `bad-shape`
   * when there are more or fewer axis names than axes; `out-of-range` when a cast does not fit; `too-large` when
   * there is no memory for it; `bad-safetensors` when the file has changed under our feet; `closed`.
   */
  read<D extends DType = BaseDType, const A extends Axes = Axes>(
    name: string,
    options?: ReadOptions<D, A>,
  ): Promise<Tensor<D, A>>;
  /**
   * Reads the raw bytes of one tensor into memory that the caller has.
   *
   * @throws UserLlmError as `read`, and `bad-shape` when `bytes` is of another length.
   */
  readInto(name: string, bytes: Uint8Array): Promise<void>;
  /** Closes the files; what was read stays. */
  close(): Promise<void>;
}

const chunkBytes = 2 ** 26;

/**
 * One open safetensors file: the header is read and checked in full, tensors are read when asked for, each by its
 * position, so that files may be larger than memory.
 *
 * Format: https://github.com/huggingface/safetensors (eight bytes of header length, a JSON header, the data).
 */
export class SafetensorsFile implements SafetensorsSource {
  readonly path: string;
  readonly names: readonly string[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly #file: FileHandle;
  readonly #entries: ReadonlyMap<string, SafetensorsEntry>;
  readonly #dataStart: number;
  #closed = false;

  private constructor(path: string, file: FileHandle, header: SafetensorsHeader, dataStart: number) {
    this.path = path;
    this.names = [...header.entries.keys()];
    this.metadata = header.metadata;
    this.#file = file;
    this.#entries = header.entries;
    this.#dataStart = dataStart;
  }

  /**
   * Opens a file and checks its header. Close it when done.
   *
   * @throws UserLlmError `unreadable-file` when there is no such file, `bad-safetensors` when it is not whole and
   * consistent.
   */
  static async open(path: string): Promise<SafetensorsFile> {
    checkByteOrder();
    const file = await openRegular(path);
    try {
      const { size } = await file.stat();
      const start = new Uint8Array(Math.min(8, size));
      await readFully(path, file, start, 0);
      const header = new Uint8Array(headerLength(path, start, size));
      await readFully(path, file, header, 8);
      const dataStart = 8 + header.length;
      return new SafetensorsFile(path, file, parseHeader(path, header, size - dataStart), dataStart);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  entry(name: string): SafetensorsEntry {
    const entry = this.#entries.get(name);
    if (!entry) {
      throw unknownTensor(this.path, name, this.names);
    }
    return entry;
  }

  async read<D extends DType = BaseDType, const A extends Axes = Axes>(
    name: string,
    { axes, dtype }: ReadOptions<D, A> = {},
  ): Promise<Tensor<D, A>> {
    const { format, shape } = this.entry(name);
    const stored = dtypeOfFormat(format);
    if (stored === undefined) {
      throw new UserLlmError('unsupported-dtype', {
        what: `${this.path}: ${name}`,
        expected: 'F64, F32, F16, BF16, I64, I32, I8, U8 or BOOL',
        got: format,
        mend: 'Convert the tensor with the tool that wrote the file.',
      });
    }
    const named = (axes ?? shape.map((_, axis) => `axis${axis}`)) as Axes as A;
    if (named.length !== shape.length) {
      throw new UserLlmError('bad-shape', {
        what: `${this.path}: ${name}`,
        expected: `${shape.length} axis names for [${shape.join(', ')}]`,
        got: `[${named.join(', ')}]`,
      });
    }
    const data = allocateWithin(`${this.path}: ${name}`, stored, elements(shape));
    await this.readInto(name, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    if (stored === 'bool' && (data as Uint8Array).some((truth) => truth > 1)) {
      throw badFile(`${this.path}: ${name}`, 'bytes 0 and 1 in a BOOL tensor', 'another byte');
    }
    const tensor = new Tensor<DType, A>(stored, named, shape, data);
    return dtype === undefined ? (tensor as Tensor<D, A>) : tensor.cast(dtype);
  }

  async readInto(name: string, bytes: Uint8Array): Promise<void> {
    const { begin, end } = this.entry(name);
    const what = `${this.path}: ${name}`;
    if (this.#closed) {
      throw new UserLlmError('closed', { what, expected: 'an open file', mend: 'Read before you close.' });
    }
    if (bytes.length !== end - begin) {
      throw new UserLlmError('bad-shape', { what, expected: `${end - begin} bytes`, got: `${bytes.length}` });
    }
    await readFully(what, this.#file, bytes, this.#dataStart + begin);
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      await this.#file.close();
    }
  }
}

/** Memory for a tensor; more than the machine has is not even asked for, since some systems promise any amount. */
function allocateWithin(what: string, dtype: BaseDType, length: number): TypedArray {
  const bytes = length * bytesPerElement(dtype);
  if (bytes > totalmem()) {
    throw new UserLlmError('too-large', {
      what,
      expected: `memory for a tensor of ${bytes} bytes`,
      got: `${totalmem()} bytes in this machine`,
      mend: 'Use a machine with more memory.',
    });
  }
  return allocate(dtype, length);
}

/** The error of a name that is not in a file or checkpoint. */
export function unknownTensor(path: string, name: string, names: readonly string[]): UserLlmError {
  const some = names.slice(0, 5).join(', ');
  return new UserLlmError('unknown-tensor', {
    what: path,
    expected: `one of its ${names.length} tensors (${some}${names.length > 5 ? ', ...' : ''})`,
    got: name,
  });
}

/** The error of a file that cannot be opened. */
export function unreadable(path: string, cause: unknown): UserLlmError {
  return new UserLlmError('unreadable-file', {
    what: path,
    expected: 'a file that can be read',
    got: cause instanceof Error ? cause.message : String(cause),
    mend: 'Correct the path, or the permissions.',
    cause,
  });
}

/** Opens what is a file; a folder cannot be read, and opening a pipe would wait for somebody to write. */
async function openRegular(path: string): Promise<FileHandle> {
  try {
    if ((await stat(path)).isFile()) {
      return await open(path, 'r');
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
  throw unreadable(path, 'a folder or a device');
}

async function readFully(what: string, file: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < into.length;) {
    const length = Math.min(into.length - at, chunkBytes);
    const { bytesRead } = await file.read(into, at, length, position + at).catch((cause: unknown) => {
      throw unreadable(what, cause);
    });
    if (bytesRead === 0) {
      throw badFile(what, `${into.length} bytes from ${position}`, `the end of the file after ${at}`);
    }
    at += bytesRead;
  }
}

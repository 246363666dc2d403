import { bytesPerElement, isDType, viewBytes, type BaseDType, type DType } from '../dtype.js';
import { UserLlmError } from '../errors.js';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { elements } from '../layout.js';
import { isShape } from '../shape-checks.js';
import type { Tensor } from '../tensor.js';
import { checkByteOrder } from './byte-order.js';
import { formatBits, formatOf } from './formats.js';
import { maxHeaderBytes } from './header.js';

/** A tensor that is fetched when its turn to be written comes, so that not all need be in memory at once. */
export interface LazyTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Gives the tensor; called once. */
  read(): Tensor | Promise<Tensor>;
}

/** A name and what is written under it. */
export type NamedTensor = readonly [name: string, tensor: Tensor | LazyTensor];

/** Tensors by name: a `Map` of them, a list of pairs, or pairs that come one after the other. */
export type NamedTensors = Iterable<NamedTensor> | AsyncIterable<NamedTensor>;

const chunkBytes = 2 ** 24;

/**
 * Writes a safetensors file whole or not at all (see `writeFileAtomically`), tensor after tensor in bounded chunks.
 * The bytes depend on names, tensors and metadata alone, not on their order, and are those that the reference
 * implementation writes: wide dtypes first, then by name, the data aligned to 8 bytes. Axis names are not kept.
 *
 * @param tensors Names, dtypes and shapes are gathered first; lazy tensors are read one at a time.
 * @param metadata Texts to keep in the header.
 * @throws UserLlmError `bad-safetensors` for names or metadata that such a file cannot hold; `shape-mismatch` when a
 * lazy tensor is not what it said; `write-failed` when the file system refuses.
 */
export async function writeSafetensors(
  path: string,
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFileAtomically(path, safetensorsBytes(path, tensors, metadata));
}

/** The bytes of a safetensors file, in order and in pieces. */
export async function* safetensorsBytes(
  path: string,
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array> {
  checkByteOrder();
  const named = await gather(path, tensors);
  yield formatHeader(path, named, metadata);
  for (const [name, item] of named) {
    const tensor = 'read' in item ? await item.read() : item;
    if (tensor?.dtype !== item.dtype || String(tensor.shape) !== String(item.shape)) {
      throw new UserLlmError('shape-mismatch', {
        what: `${path}: ${name}`,
        expected: `${item.dtype} [${item.shape.join(', ')}], as announced`,
        got: tensor ? `${tensor.dtype} [${tensor.shape.join(', ')}]` : 'nothing',
      });
    }
    const { buffer, byteOffset, byteLength } = tensor.contiguous().data;
    for (let at = 0; at < byteLength; at += chunkBytes) {
      yield viewBytes('uint8', buffer, byteOffset + at, Math.min(chunkBytes, byteLength - at));
    }
  }
}

/** All tensors in the order of the file. */
async function gather(path: string, tensors: NamedTensors): Promise<NamedTensor[]> {
  const named = new Map<string, Tensor | LazyTensor>();
  const iterable = Object(tensors) as object;
  if (!(Symbol.iterator in iterable || Symbol.asyncIterator in iterable)) {
    throw unwritable(path, 'a map or a list of names and tensors', String(tensors));
  }
  for await (const pair of tensors) {
    const [name, tensor] = Array.isArray(pair) ? (pair as NamedTensor) : ([] as Partial<NamedTensor>);
    if (typeof name !== 'string' || named.has(name) || name === '__metadata__' || /\p{Surrogate}/u.test(name)) {
      throw unwritable(path, 'distinct well-formed names other than __metadata__', `${JSON.stringify(name)}`);
    }
    if (!tensor || !isDType(tensor.dtype) || !isShape(tensor.shape)) {
      const got = tensor ? `dtype ${tensor.dtype}, shape [${tensor.shape?.join(', ')}]` : String(tensor);
      throw unwritable(`${path}: ${name}`, 'a tensor, or { dtype, shape, read() }', got);
    }
    named.set(name, tensor);
  }
  const order = [...formatBits.keys()];
  const rank = (dtype: DType) => order.indexOf(formatOf[dtype as BaseDType]);
  return [...named].sort(
    ([leftName, left], [rightName, right]) =>
      rank(right.dtype) - rank(left.dtype) || Buffer.compare(Buffer.from(leftName), Buffer.from(rightName)),
  );
}

function formatHeader(
  path: string,
  named: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const texts = Object.entries(metadata).sort(([left], [right]) => (left < right ? -1 : 1));
  if (texts.some(([key, text]) => typeof text !== 'string' || /\p{Surrogate}/u.test(key + text))) {
    throw unwritable(path, 'metadata of well-formed texts', JSON.stringify(metadata).slice(0, 200));
  }
  const members =
    texts.length === 0
      ? []
      : [member('__metadata__', `{${texts.map(([key, text]) => member(key, JSON.stringify(text))).join(',')}}`)];
  let at = 0;
  for (const [name, { dtype, shape }] of named) {
    const end = at + elements(shape) * bytesPerElement(dtype);
    const entry = { dtype: formatOf[dtype as BaseDType], shape, data_offsets: [at, end] };
    members.push(member(name, JSON.stringify(entry)));
    at = end;
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > maxHeaderBytes) {
    throw unwritable(path, `a header of at most ${maxHeaderBytes} bytes`, `${length}`);
  }
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
}

/** One member of a JSON object; not by way of an object, where `__proto__` and numbers are special keys. */
function member(key: string, json: string): string {
  return `${JSON.stringify(key)}:${json}`;
}

function unwritable(path: string, expected: string, got: string): UserLlmError {
  return new UserLlmError('bad-safetensors', { what: path, expected, got, mend: 'Nothing was written.' });
}

import { allocate, type BaseDType, type DType } from '../dtype.js';
import { UserLlmError } from '../errors.js';
import { elements } from '../layout.js';
import { Tensor } from '../tensor.js';
import { checkByteOrder } from './byte-order.js';
import { dtypeOfFormat } from './formats.js';
import { badFile, headerLength, parseHeader } from './header.js';
import { safetensorsBytes } from './write-safetensors.js';

/** Tensors and texts out of the bytes of a safetensors file. */
export interface DecodedSafetensors {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * The bytes that `writeSafetensors` would write, in memory: for small things that are kept elsewhere than in files.
 *
 * @throws UserLlmError `bad-safetensors` for names or metadata that such a file cannot hold.
 */
export async function encodeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of safetensorsBytes('safetensors bytes', Object.entries(tensors), metadata)) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

/**
 * Reads the bytes of a safetensors file, all of them; nothing of `bytes` is shared.
 *
 * @param axes Axis names by tensor, which such a file does not keep; `axis0`, `axis1`, ... where absent.
 * @throws UserLlmError `bad-safetensors` when they are not whole and consistent, `unsupported-dtype` for formats that
 *   tensors here cannot hold, `bad-shape` for more or fewer axis names than axes.
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  axes: Readonly<Record<string, readonly string[]>> = {},
): DecodedSafetensors {
  checkByteOrder();
  const what = 'safetensors bytes';
  const length = headerLength(what, bytes.subarray(0, 8), bytes.length);
  const start = 8 + length;
  const { entries, metadata } = parseHeader(what, bytes.subarray(8, start), bytes.length - start);
  const tensors = [...entries].map(([name, { format, shape, begin, end }]) => {
    const dtype = dtypeOfFormat(format);
    if (dtype === undefined) {
      throw new UserLlmError('unsupported-dtype', {
        what: `${what}: ${name}`,
        expected: 'a known format',
        got: format,
      });
    }
    const named = axes[name] ?? shape.map((_, axis) => `axis${axis}`);
    return [
      name,
      new Tensor(dtype as DType, named, shape, dataOf(dtype, shape, bytes, start + begin, start + end)),
    ] as const;
  });
  for (const [name, tensor] of tensors) {
    if (tensor.dtype === 'bool' && (tensor.data as Uint8Array).some((truth) => truth > 1))
      throw badFile(`${what}: ${name}`, 'bytes 0 and 1 in a BOOL tensor', 'another byte');
  }
  return { tensors: new Map(tensors), metadata };
}

/** A copy, since the bytes may lie at any address. */
function dataOf(dtype: BaseDType, shape: readonly number[], bytes: Uint8Array, begin: number, end: number): never {
  const data = allocate(dtype, elements(shape));
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(bytes.subarray(begin, end));
  return data as never;
}

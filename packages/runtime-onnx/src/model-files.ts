import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { bytesPerElement, elements, writeFileAtomically, type TypedArray } from '@user-llm/tensor';
import { embeddedBytes } from './lowering/lower.js';
import { writeModel, type Model, type ModelInitializer } from './onnx-model.js';

/** Data that ONNX Runtime maps into memory lies at multiples of this. */
const alignment = 4096;

/** Bytes that are hashed by one call, which takes less than 2 GiB. */
const hashedBytes = 2 ** 30;

/**
 * Writes a model, and the named weights into `FILE.HASH.data` beside it where the data would reach the limit.
 *
 * The data's name carries the hash of its content (the first 16 digits of its SHA-256), and the model refers to it by
 * that name. So what was there before stays whole until the new model takes its place: killed at any moment, either
 * the old model with its data is there or the new one. Data of earlier models of this file is removed last.
 *
 * @param limit Bytes of data from which on the weights lie outside.
 * @throws UserLlmError `write-failed`.
 */
export async function writeModelFiles(
  model: Model,
  file: string,
  weights: ReadonlySet<string>,
  limit: number,
): Promise<void> {
  if (embeddedBytes(model) < limit) {
    await writeFileAtomically(file, writeModel(model));
    await removeData(file);
    return;
  }
  const { parts, offsets } = layOut(model, weights);
  const hash = createHash('sha256');
  for (const part of parts) {
    for (let at = 0; at < part.length; at += hashedBytes) hash.update(part.subarray(at, at + hashedBytes));
  }
  const location = `${basename(file)}.${hash.digest('hex').slice(0, 16)}.data`;
  await writeFileAtomically(join(dirname(file), location), parts);
  await writeFileAtomically(file, writeModel(pointed(model, location, offsets)));
  await removeData(file, location);
}

/** The weights' bytes, each at a multiple of the alignment, and where each begins. */
function layOut(
  model: Model,
  weights: ReadonlySet<string>,
): { readonly parts: readonly Uint8Array[]; readonly offsets: ReadonlyMap<string, number> } {
  const parts: Uint8Array[] = [];
  const offsets = new Map<string, number>();
  let end = 0;
  for (const { name, dtype, shape, data } of model.initializers ?? []) {
    if (!weights.has(name) || !ArrayBuffer.isView(data)) continue;
    const padding = (alignment - (end % alignment)) % alignment;
    if (padding > 0) parts.push(new Uint8Array(padding));
    const bytes = elements(shape) * (dtype === 'uint32' ? 4 : bytesPerElement(dtype));
    const { buffer, byteOffset } = data as TypedArray;
    parts.push(new Uint8Array(buffer, byteOffset, bytes));
    offsets.set(name, end + padding);
    end += padding + bytes;
  }
  return { parts, offsets };
}

/** The model with initializers that lie in another file. */
function pointed(model: Model, location: string, offsets: ReadonlyMap<string, number>): Model {
  const initializers = (model.initializers ?? []).map((initializer): ModelInitializer => {
    const { name, dtype, shape } = initializer;
    const offset = offsets.get(name);
    return offset === undefined ? initializer : { name, dtype, shape, data: { location, offset } };
  });
  return { ...model, initializers };
}

/** Removes the data of models that this file was before. */
async function removeData(file: string, kept?: string): Promise<void> {
  const start = `${basename(file)}.`;
  const old = (await readdir(dirname(file))).filter(
    (name) => name.startsWith(start) && /^[0-9a-f]{16}\.data$/.test(name.slice(start.length)) && name !== kept,
  );
  // What cannot be removed, such as a file that is mapped on Windows, is in nobody's way.
  await Promise.allSettled(old.map((name) => rm(join(dirname(file), name))));
}

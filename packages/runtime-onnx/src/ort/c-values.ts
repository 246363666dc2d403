import { markAsUntransferable } from 'node:worker_threads';
import { bytesPerElement, elements, viewBytes, type BaseDType } from '@user-llm/tensor';
import { dtypeOfElementType, elementTypeOf } from '../element-type.js';
import type { CApi } from './c-api.js';
import { readText } from './c-memory.js';
import type { HostTensor } from './engine.js';
import { Handle } from './handle.js';

/** From this size on an output that the engine allocated is read where it lies; smaller ones are copied out. */
const viewFromBytes = 2 ** 20;

/** What empty tensors point to: the engine refuses a null address, and never reads it. */
const nothing = new BigUint64Array(1);

/** An `OrtValue` over the caller's memory, which it keeps reachable. */
export function valueOver(api: CApi, memoryInfo: bigint, tensor: HostTensor): Handle {
  const { data, dtype, shape } = tensor;
  const pointer = api.koffi.address(data.byteLength === 0 ? nothing : data);
  const sizes = BigInt64Array.from(shape, BigInt);
  const value = api.create(
    'CreateTensorWithDataAsOrtValue',
    memoryInfo,
    pointer,
    data.byteLength,
    sizes,
    shape.length,
    elementTypeOf(dtype),
  );
  return new Handle(api, 'tensor', 'ReleaseValue', value, [data.buffer]);
}

/**
 * The tensor of an `OrtValue` that a run allocated, which is released here or, for a large one that is read in
 * place, when the tensor's buffer is garbage-collected. That buffer cannot be posted to another thread.
 *
 * @throws UserLlmError `unsupported-dtype`.
 */
export function takeValue(api: CApi, name: string, address: bigint): HostTensor {
  const value = new Handle(api, `output ${name}`, 'ReleaseValue', address);
  let keepValue = false;
  try {
    const { dtype, shape } = typeAndShape(api, name, api.create('GetTensorTypeAndShape', address));
    const sizes = shape as readonly number[];
    const length = elements(sizes);
    const bytes = length * bytesPerElement(dtype);
    const native = api.koffi.view(api.create('GetTensorMutableData', address), bytes);
    keepValue = bytes >= viewFromBytes;
    const buffer = keepValue ? native : native.slice(0);
    if (keepValue) {
      markAsUntransferable(buffer);
      owners.set(buffer, value);
    }
    return { dtype, shape: sizes, data: viewBytes(dtype, buffer, 0, length) };
  } finally {
    if (!keepValue) value.dispose();
  }
}

/** The value whose memory a buffer shows: collected together, and then released. */
const owners = new WeakMap<ArrayBuffer, Handle>();

/** The dtype and sizes of a `TensorTypeAndShapeInfo`, which is released; unknown sizes are names or ''. */
export function typeAndShape(
  api: CApi,
  what: string,
  info: bigint,
): { readonly dtype: BaseDType; readonly shape: readonly (number | string)[] } {
  try {
    return readTypeAndShape(api, what, info);
  } finally {
    api.call('ReleaseTensorTypeAndShapeInfo', info);
  }
}

/** As `typeAndShape`, of an info that belongs to something else and is not released. */
export function readTypeAndShape(
  api: CApi,
  what: string,
  info: bigint,
): { readonly dtype: BaseDType; readonly shape: readonly (number | string)[] } {
  const type = new Int32Array(1);
  api.call('GetTensorElementType', info, type);
  const rank = Number(api.create('GetDimensionsCount', info));
  const sizes = new BigInt64Array(Math.max(1, rank));
  const names = new BigUint64Array(Math.max(1, rank));
  api.call('GetDimensions', info, sizes, rank);
  api.call('GetSymbolicDimensions', info, names, rank);
  const shape = Array.from({ length: rank }, (_, axis) =>
    sizes[axis]! >= 0n ? Number(sizes[axis]) : readText(api, names[axis]!),
  );
  return { dtype: dtypeOfElementType(type[0]!, what), shape };
}

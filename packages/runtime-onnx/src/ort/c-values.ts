import type { BaseDType } from '@user-llm/tensor';
import { dtypeOfElementType, elementTypeOf } from '../element-type.js';
import type { CApi } from './c-api.js';
import { readText } from './c-memory.js';
import type { HostTensor } from './engine.js';
import { Handle } from './handle.js';

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

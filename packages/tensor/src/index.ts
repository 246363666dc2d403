export { UserLlmError, type ErrorDetails } from './errors.js';
export {
  allocate,
  bytesPerElement,
  dtypes,
  isDType,
  isFloat,
  viewBytes,
  type BaseDType,
  type DType,
  type FloatDType,
  type Id,
  type TypedArray,
  type TypedArrayOf,
} from './dtype.js';
export type { Axes, Covers, Dropped, PerAxis, Permutes, Renamed, Swapped } from './axes.js';
export type { ElementInput, ElementOf } from './element.js';
export { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from './half-precision.js';
export { denseStrides, elements, type Layout } from './layout.js';
export { Tensor, type Nested } from './tensor.js';
export { full, ids, scalar, tensor, zeros } from './factories.js';
export { equal, maxDifference } from './compare.js';
export { Random, type NormalDistribution, type RandomState, type UniformRange } from './random/random.js';
export type { RealArray } from './random/fill.js';
export type { RandomStream, RandomStreamState } from './random/random-stream.js';
export { threefry2x32 } from './random/threefry.js';
export { writeFileAtomically, type FileContent } from './files/write-file-atomically.js';
export type { SafetensorsEntry } from './safetensors/header.js';
export { decodeSafetensors, encodeSafetensors, type DecodedSafetensors } from './safetensors/safetensors-bytes.js';
export { SafetensorsFile, type ReadOptions, type SafetensorsSource } from './safetensors/safetensors-file.js';
export { ShardedSafetensors, openSafetensors } from './safetensors/sharded-safetensors.js';
export {
  writeSafetensors,
  type LazyTensor,
  type NamedTensor,
  type NamedTensors,
} from './safetensors/write-safetensors.js';

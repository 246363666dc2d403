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
export { Tensor, denseStrides, elements, type Axes, type Layout } from './tensor.js';
export { Random, type NormalDistribution, type RandomState, type UniformRange } from './random/random.js';
export type { RandomStream, RandomStreamState } from './random/random-stream.js';
export { threefry2x32 } from './random/threefry.js';

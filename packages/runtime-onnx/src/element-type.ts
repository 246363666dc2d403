import { UserLlmError, type BaseDType, type DType } from '@user-llm/tensor';

/** ONNX's number of each element type (`TensorProto.DataType`, the same in ONNX Runtime's C API). */
const elementTypes: Readonly<Record<BaseDType | 'uint32', number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  bfloat16: 16,
};

const dtypeOf = new Map(
  Object.entries(elementTypes)
    .filter(([dtype]) => dtype !== 'uint32')
    .map(([dtype, type]) => [type, dtype as BaseDType]),
);

/** An element type inside a model; `uint32` occurs only there, where random numbers are made. */
export type ModelDType = DType | 'uint32';

/** The number that ONNX has for a dtype. */
export function elementTypeOf(dtype: ModelDType): number {
  return elementTypes[dtype as BaseDType | 'uint32'];
}

/**
 * The dtype of an ONNX element type.
 *
 * @param what The tensor it belongs to, for the error.
 * @throws UserLlmError `unsupported-dtype` for strings, complex numbers and other types that tensors here do not have.
 */
export function dtypeOfElementType(type: number, what: string): BaseDType {
  const dtype = dtypeOf.get(type);
  if (dtype === undefined) throw unsupportedDtype(what, `ONNX element type ${type}`);
  return dtype;
}

/** The error for an element type that tensors here do not have. */
export function unsupportedDtype(what: string, got: string): UserLlmError {
  return new UserLlmError('unsupported-dtype', {
    what,
    expected: `one of ${[...dtypeOf.values()].join(', ')}`,
    got,
    mend: 'Cast it inside the model.',
  });
}

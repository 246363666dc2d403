import type { BaseDType } from '../dtype.js';

/**
 * Bits per element of the formats that safetensors files name, in the order in which the reference implementation
 * (safetensors 0.8) lays tensors out, last first: the larger the element, the earlier, so all of them are aligned.
 */
export const formatBits: ReadonlyMap<string, number> = new Map([
  ['BOOL', 8],
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['U8', 8],
  ['I8', 8],
  ['F8_E5M2', 8],
  ['F8_E4M3', 8],
  ['F8_E8M0', 8],
  ['I16', 16],
  ['U16', 16],
  ['F16', 16],
  ['BF16', 16],
  ['I32', 32],
  ['U32', 32],
  ['F32', 32],
  ['C64', 64],
  ['F64', 64],
  ['I64', 64],
  ['U64', 64],
]);

/** What each dtype is called in a file. */
export const formatOf: Readonly<Record<BaseDType, string>> = {
  bool: 'BOOL',
  uint8: 'U8',
  int8: 'I8',
  float16: 'F16',
  bfloat16: 'BF16',
  int32: 'I32',
  float32: 'F32',
  float64: 'F64',
  int64: 'I64',
};

const dtypeOf: ReadonlyMap<string, BaseDType> = new Map(
  Object.entries(formatOf).map(([dtype, format]) => [format, dtype as BaseDType]),
);

/** The dtype of a format; `undefined` for formats that tensors here cannot hold. */
export function dtypeOfFormat(format: string): BaseDType | undefined {
  return dtypeOf.get(format);
}

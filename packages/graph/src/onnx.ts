import type { DType, TypedArray } from '@user-llm/tensor';
import type { Size } from './size.js';

/** Element types that occur inside an ONNX graph only. */
export type OnnxDType = DType | 'uint32';

/** The value of an attribute of an ONNX node; a whole number is `{ int }`, so that it is never taken for a float. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly floats: readonly number[] }
  | { readonly string: string }
  | {
      readonly tensor: {
        readonly dtype: OnnxDType;
        readonly shape: readonly number[];
        readonly data: TypedArray | Uint32Array;
      };
    };

/** An input of an operator in its ONNX form. */
export interface OnnxOperand {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Size[];
}

/** Settings of a node besides its attributes. */
export interface OnnxNodeOptions {
  /** `''` is ONNX itself, `com.microsoft` ONNX Runtime's own operators. */
  readonly domain?: '' | 'com.microsoft';
  /** How many outputs to name, 1 unless told; `false` leaves an optional output out. */
  readonly outputs?: number | readonly boolean[];
}

/** What an operator's `onnx` writes to; a runtime implements it. */
export interface OnnxEmitter {
  /** Adds a node; `undefined` leaves out an optional input. Returns the names of its outputs. */
  emit(
    type: string,
    inputs: readonly (string | undefined)[],
    attributes?: Readonly<Record<string, OnnxAttribute>>,
    options?: OnnxNodeOptions,
  ): readonly string[];
  /** The name of a constant tensor; equal constants share one. */
  constant(dtype: OnnxDType, shape: readonly number[], values: readonly number[] | TypedArray | Uint32Array): string;
  /** The name of a 1-D int64 tensor of these sizes, computed from the feeds where a size is symbolic. */
  sizes(sizes: readonly Size[]): string;
}

/** The code that ONNX gives an element type, for `Cast` and friends. */
export const onnxDTypeCode: Readonly<Record<string, number>> = {
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

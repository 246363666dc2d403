import { isFloat, type Axes, type DType } from '@user-llm/tensor';
import { elementwiseCost } from '../cost.js';
import { applyOne, definePrimitive } from '../operator.js';
import { onnxDTypeCode } from '../onnx.js';
import { mapBroadcast } from '../reference-kernels.js';
import type { Symbolic } from '../symbolic.js';

/** Attributes of `cast`. */
export interface CastAttributes {
  readonly dtype: DType;
}

/** Conversion of element types; real numbers are cut towards zero to become whole ones, and non-zero is true. */
export const castOperator = definePrimitive<CastAttributes>({
  name: 'cast',
  infer: ([x], { dtype }) => [{ ...x!, dtype }],
  gradient: ({ inputs: [x] }, [g]) => [g && isFloat(x!.dtype) ? rawCast(g, x!.dtype) : undefined],
  cost: elementwiseCost,
  onnx: (emitter, [x], { attributes: { dtype } }) =>
    emitter.emit('Cast', [x!.name], { to: { int: onnxDTypeCode[dtype]! } }),
  reference: ([x], { attributes: { dtype } }) => {
    const f =
      dtype === 'bool'
        ? (value: number) => (value === 0 ? 0 : 1)
        : isFloat(dtype)
          ? (value: number) => value
          : Math.trunc;
    return [mapBroadcast(dtype, x!.shape, [x!], f)];
  },
  examples: [
    {
      name: 'to whole numbers',
      inputs: [{ shape: [5], values: [1.7, -1.7, 0.2, 3, -0.9] }],
      attributes: { dtype: 'int32' },
    },
    { name: 'to conditions', inputs: [{ shape: [4], values: [1.5, 0, -2, 0] }], attributes: { dtype: 'bool' } },
    {
      name: 'from whole numbers',
      inputs: [{ dtype: 'int32', shape: [2, 3], values: { below: 9 } }],
      attributes: { dtype: 'float32' },
    },
    {
      name: 'from conditions',
      inputs: [{ dtype: 'bool', shape: [2, 3], values: { below: 2 } }],
      attributes: { dtype: 'int32' },
    },
    { name: 'to the same', inputs: [{ shape: [2, 3] }], attributes: { dtype: 'float32' } },
    { name: 'size 1', inputs: [{ dtype: 'int32', shape: [1], values: [-3] }], attributes: { dtype: 'float32' } },
    { name: 'empty', inputs: [{ shape: [0] }], attributes: { dtype: 'int32' } },
  ],
});

/** @internal The tensor itself where it has the dtype already. */
export function rawCast(x: Symbolic, dtype: DType): Symbolic {
  return x.dtype === dtype ? x : applyOne(castOperator, [x], { dtype });
}

/** The same numbers in another element type; real numbers are cut towards zero to become whole ones. */
export function cast<D extends DType, A extends Axes>(x: Symbolic<DType, A>, dtype: D): Symbolic<D, A> {
  return rawCast(x, dtype) as Symbolic<D, A>;
}

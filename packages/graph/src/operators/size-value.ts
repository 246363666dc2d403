import type { Axes } from '@user-llm/tensor';
import { freeCost } from '../cost.js';
import { applyOne, definePrimitive } from '../operator.js';
import type { OnnxEmitter } from '../onnx.js';
import { referenceArray } from '../reference-kernels.js';
import type { Size } from '../size.js';
import type { Symbolic } from '../symbolic.js';

/** Attributes of `sizeValue`. */
export interface SizeValueAttributes {
  readonly size: Size;
}

/** The number that a size stands for when the graph runs. */
export const sizeValueOperator = definePrimitive<SizeValueAttributes>({
  name: 'sizeValue',
  infer: () => [{ dtype: 'int32', axes: [], shape: [] }],
  gradient: 'none',
  cost: () => freeCost,
  onnx: (emitter, _, { attributes: { size } }) => [emitSize(emitter, size)],
  reference: (_, { attributes: { size }, size: evaluate }) => [
    referenceArray('int32', [], Float64Array.of(evaluate(size))),
  ],
  examples: [{ name: 'number', inputs: [], attributes: { size: 7 } }],
});

/** A size as a value of the graph; some input of the graph must have an axis that binds it. */
export function sizeValue(size: Size): Symbolic<'int32', readonly []> {
  return applyOne(sizeValueOperator, [], { size }) as Symbolic<'int32', readonly []>;
}

/** @internal The name of a size as an int32 number. */
function emitSize(emitter: OnnxEmitter, size: Size): string {
  const value = emitter.emit('Cast', [emitter.sizes([size])], { to: { int: 6 } })[0]!;
  return emitter.emit('Reshape', [value, emitter.sizes([])])[0]!;
}

/** @internal The name of the whole numbers from 0 up to a size, as int32. */
export function emitRange(emitter: OnnxEmitter, size: Size): string {
  if (typeof size === 'number') return emitter.constant('int32', [size], [...Array(size).keys()]);
  const bounds = [emitter.constant('int32', [], [0]), emitSize(emitter, size), emitter.constant('int32', [], [1])];
  return emitter.emit('Range', bounds)[0]!;
}

/** Attributes of `range`. */
export interface RangeAttributes {
  readonly axes: Axes;
  readonly size: Size;
}

/** The whole numbers from 0 up. */
export const rangeOperator = definePrimitive<RangeAttributes>({
  name: 'range',
  infer: (_, { axes, size }) => [{ dtype: 'int32', axes, shape: [size] }],
  gradient: 'none',
  cost: (_, outputs) => ({ flops: 0, bytes: 4 * outputs[0]!.shape[0]! }),
  onnx: (emitter, _, { attributes: { size } }) => [emitRange(emitter, size)],
  reference: (_, { outputs: [output] }) => [
    referenceArray('int32', output!.shape, Float64Array.from(Array(output!.shape[0]!).keys())),
  ],
  examples: [
    { name: 'five', inputs: [], attributes: { axes: ['a'], size: 5 } },
    { name: 'size 1', inputs: [], attributes: { axes: ['a'], size: 1 } },
    { name: 'empty', inputs: [], attributes: { axes: ['a'], size: 0 } },
  ],
});

/**
 * The whole numbers from 0 up.
 *
 * @param axis The name of the result's axis.
 * @param size How many; when symbolic, some input of the graph must have an axis that binds it.
 */
export function range<const Name extends string>(axis: Name, size: Size): Symbolic<'int32', readonly [Name]> {
  return applyOne(rangeOperator, [], { axes: [axis], size }) as unknown as Symbolic<'int32', readonly [Name]>;
}

import type { Axes } from '@user-llm/tensor';
import { applyOne, definePrimitive } from '../operator.js';
import type { OnnxEmitter } from '../onnx.js';
import { requireDType } from '../inference.js';
import { referenceArray } from '../reference-kernels.js';
import { sizeOfShape, type Size } from '../size.js';
import type { Float, Symbolic } from '../symbolic.js';
import { bytesOf } from '../cost.js';
import { requireDistinctAxes } from './input.js';
import { emitRange } from './size-value.js';

/** Attributes of `uniform`. */
export interface UniformAttributes {
  readonly axes: Axes;
  readonly shape: readonly Size[];
  /** Keeps different uses of one seed apart; a whole number of 32 bits. */
  readonly stream: number;
}

const golden = 0x9e3779b9;
const multiplyFirst = 0x21f0aaad;
const multiplySecond = 0x735a2d97;

/** The hash of 32 bits that the numbers come from: xor-shift-multiply with the constants 16, 0x21f0aaad, 15, 0x735a2d97, 15 (C. Wellons, "hash prospector"). */
function hash(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), multiplyFirst);
  x = Math.imul(x ^ (x >>> 15), multiplySecond);
  return x ^ (x >>> 15);
}

/** `hash` in ONNX, on int32; shifts go by way of uint32, because ONNX shifts unsigned numbers only. */
function emitHash(emitter: OnnxEmitter, value: string): string {
  const one = (type: string, inputs: readonly string[], to?: number): string =>
    emitter.emit(type, inputs, to === undefined ? {} : { to: { int: to } })[0]!;
  const shifted = (x: string, bits: number): string => {
    const unsigned = one('Cast', [x], 12);
    const moved = emitter.emit('BitShift', [unsigned, emitter.constant('uint32', [], [bits])], {
      direction: { string: 'RIGHT' },
    })[0]!;
    return one('BitwiseXor', [x, one('Cast', [moved], 6)]);
  };
  const times = (x: string, factor: number): string => one('Mul', [x, emitter.constant('int32', [], [factor | 0])]);
  return shifted(times(shifted(times(shifted(value, 16), multiplyFirst), 15), multiplySecond), 15);
}

/**
 * Random numbers from a counter: element i of a stream is `hash(i + hash(seed + hash(stream + golden)))`, its
 * upper 24 bits divided by 2^24. The same on every runtime, and any step can be made again.
 */
export const uniformOperator = definePrimitive<UniformAttributes>({
  name: 'uniform',
  infer: ([seed], { axes, shape }) => {
    requireDType('uniform', 'int32', seed!);
    return [{ dtype: 'float32', axes, shape }];
  },
  gradient: 'none',
  cost: (_, outputs) => ({ flops: 0, bytes: bytesOf(...outputs) }),
  onnx: (emitter, [seed], { attributes: { shape, stream } }) => {
    const salt = emitter.constant('int32', [], [hash(stream + golden)]);
    const key = emitHash(emitter, emitter.emit('Add', [seed!.name, salt])[0]!);
    const counter = emitRange(emitter, sizeOfShape(shape));
    const bits = emitHash(emitter, emitter.emit('Add', [counter, key])[0]!);
    const unsigned = emitter.emit('Cast', [bits], { to: { int: 12 } })[0]!;
    const upper = emitter.emit('BitShift', [unsigned, emitter.constant('uint32', [], [8])], {
      direction: { string: 'RIGHT' },
    })[0]!;
    const real = emitter.emit('Cast', [upper], { to: { int: 1 } })[0]!;
    const scaled = emitter.emit('Mul', [real, emitter.constant('float32', [], [2 ** -24])])[0]!;
    return emitter.emit('Reshape', [scaled, emitter.sizes(shape)], { allowzero: { int: 1 } });
  },
  reference: ([seed], { attributes: { stream }, outputs: [output] }) => {
    const key = hash((seed!.data[0]! + hash(stream + golden)) | 0);
    const result = referenceArray('float32', output!.shape);
    for (let i = 0; i < result.data.length; i++) result.data[i] = (hash((i + key) | 0) >>> 8) * 2 ** -24;
    return [result];
  },
  examples: [
    {
      name: 'matrix',
      inputs: [{ dtype: 'int32', shape: [], values: [7] }],
      attributes: { axes: ['a', 'b'], shape: [5, 8], stream: 0 },
    },
    {
      name: 'negative seed',
      inputs: [{ dtype: 'int32', shape: [], values: [-2147483648] }],
      attributes: { axes: ['a'], shape: [9], stream: 4294967295 },
    },
    {
      name: 'number',
      inputs: [{ dtype: 'int32', shape: [], values: [1] }],
      attributes: { axes: [], shape: [], stream: 3 },
    },
    {
      name: 'size 1',
      inputs: [{ dtype: 'int32', shape: [], values: [5] }],
      attributes: { axes: ['a', 'b'], shape: [1, 1], stream: 1 },
    },
    {
      name: 'empty',
      inputs: [{ dtype: 'int32', shape: [], values: [1] }],
      attributes: { axes: ['a'], shape: [0], stream: 3 },
    },
  ],
});

/**
 * Random numbers from 0 up to and excluding 1, of 24 bits, that depend on nothing but the seed, the stream and the
 * position; equal on every runtime.
 *
 * @param seed One whole number, for example the training step.
 * @param stream Keeps different uses of one seed apart.
 */
export function uniform<const A extends Axes>(
  seed: Symbolic<'int32', readonly []>,
  axes: A,
  shape: { readonly [I in keyof A]: Size },
  stream: number,
): Float<A> {
  requireDistinctAxes('uniform', axes, shape as readonly Size[]);
  return applyOne(uniformOperator, [seed], { axes, shape: shape as readonly Size[], stream }) as unknown as Float<A>;
}

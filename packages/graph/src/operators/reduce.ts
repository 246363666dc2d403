import { elements, isFloat, type Axes, type Dropped } from '@user-llm/tensor';
import { bytesOf } from '../cost.js';
import { axisIndex, requireAxis, requireFloat } from '../inference.js';
import { applyOne, definePrimitive, type Example, type PrimitiveOperator, type ReferenceArray } from '../operator.js';
import { broadcastStrides, forEachOffset, referenceArray, wrapped } from '../reference-kernels.js';
import { sizeOfShape, type Size } from '../size.js';
import type { Float, Node, Symbolic } from '../symbolic.js';
import { rawDivide, rawMultiply } from './arithmetic.js';
import { rawBroadcastTo } from './broadcast.js';
import { rawCast } from './cast.js';
import { rawEqual } from './comparison.js';
import { scalarLike } from './elementwise.js';
import { rawReshape } from './reshape.js';
import { sizeValue } from './size-value.js';

/** Attributes of reductions. */
export interface ReduceAttributes {
  /** Positions of the axes that are reduced, ascending. */
  readonly axes: readonly number[];
  /** Whether reduced axes stay, with size 1. */
  readonly keepAxes: boolean;
}

function reducedShape(shape: readonly Size[], axes: readonly number[]): Size[] {
  return shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
}

/** The gradient of a reduction, with the reduced axes back as size 1. */
function kept({ inputs: [x], attributes: { axes } }: Node<ReduceAttributes>, tensor: Symbolic): Symbolic {
  return rawReshape(tensor, x!.axes, reducedShape(x!.shape, axes));
}

interface ReduceDefinition {
  readonly name: string;
  readonly onnxType: string;
  /** From ONNX 18 on axes are an input for all of these. */
  readonly start: number;
  readonly f: (sofar: number, value: number) => number;
  readonly finish?: (total: number, count: number) => number;
  readonly gradient: (node: Node<ReduceAttributes>, g: Symbolic) => Symbolic;
  readonly emptyExample?: boolean;
  /** Whether ONNX Runtime's kernel may miss a NaN, which it then looks for itself. */
  readonly missesNaN?: boolean;
}

function reduction({
  name,
  onnxType,
  start,
  f,
  finish,
  gradient,
  emptyExample,
  missesNaN,
}: ReduceDefinition): PrimitiveOperator<ReduceAttributes> {
  const example = (
    title: string,
    shape: readonly number[],
    axes: readonly number[],
    keepAxes = false,
  ): Example<ReduceAttributes> => ({
    name: title,
    inputs: [{ shape, values: 'distinct' }],
    attributes: { axes, keepAxes },
  });
  /** Rows of each size with a NaN at each place. */
  const withNaN = (size: number): Example<ReduceAttributes> => ({
    name: `NaN among ${size}`,
    inputs: [
      {
        shape: [size, size],
        values: Array.from({ length: size ** 2 }, (_, at) => (at % (size + 1) === 0 ? NaN : at % 7)),
      },
    ],
    attributes: { axes: [1], keepAxes: false },
    smooth: false,
  });
  return definePrimitive<ReduceAttributes>({
    name,
    infer: ([x], { axes, keepAxes }) => {
      axes.forEach((axis) => requireAxis(name, x!, axis));
      const stays = x!.axes.map((_, axis) => keepAxes || !axes.includes(axis));
      return [
        {
          dtype: x!.dtype,
          axes: x!.axes.filter((_, axis) => stays[axis]),
          shape: reducedShape(x!.shape, axes).filter((_, axis) => stays[axis]),
        },
      ];
    },
    gradient: (node, [g]) => [g && gradient(node, kept(node, g))],
    cost: (inputs, outputs) => ({ flops: elements(inputs[0]!.shape), bytes: bytesOf(...inputs, ...outputs) }),
    onnx: (emitter, [x], { attributes: { axes, keepAxes } }) => {
      const reduced = (type: string, of: string): string =>
        emitter.emit(type, [of, emitter.constant('int64', [axes.length], axes)], {
          keepdims: { int: Number(keepAxes) },
          noop_with_empty_axes: { int: 1 },
        })[0]!;
      const result = reduced(onnxType, x!.name);
      if (!missesNaN || !isFloat(x!.dtype)) return [result];
      // A sum of magnitudes is NaN only where one of them is.
      const total = reduced('ReduceSum', emitter.emit('Abs', [x!.name])[0]!);
      return emitter.emit('Where', [emitter.emit('IsNaN', [total])[0]!, total, result]);
    },
    reference: ([x], { attributes: { axes }, outputs: [output] }) => [
      reduce(x!, axes, output!.shape, start, f, finish),
    ],
    examples: [
      example('last axis', [3, 4], [1]),
      example('first axis, kept', [3, 4], [0], true),
      example('two axes', [2, 3, 4], [0, 2]),
      example('all', [2, 3], [0, 1]),
      example('size 1', [3, 1], [1]),
      ...[1, 2, 5, 9, 18].map(withNaN),
      {
        name: 'infinities',
        inputs: [{ shape: [2, 3], values: [Infinity, 1, -Infinity, -Infinity, -Infinity, -1] }],
        attributes: { axes: [0], keepAxes: false },
        smooth: false,
      },
      ...(emptyExample
        ? [example('empty', [0, 3], [0]), example('empty outer', [0, 3], [1])]
        : [example('empty outer', [0, 3], [1])]),
    ],
  });
}

function reduce(
  x: ReferenceArray,
  axes: readonly number[],
  shape: readonly number[],
  start: number,
  f: (sofar: number, value: number) => number,
  finish: (total: number, count: number) => number = (total) => total,
): ReferenceArray {
  const withOnes = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const result = referenceArray(x.dtype, shape, new Float64Array(elements(shape)).fill(start));
  forEachOffset(x.shape, [broadcastStrides(withOnes, x.shape)], (position, [offset]) => {
    result.data[offset!] = f(result.data[offset!]!, x.data[position]!);
  });
  const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
  result.data.forEach((total, index) => (result.data[index] = wrapped(x.dtype, finish(total, count))));
  return result;
}

const stretch = ({ inputs: [x] }: Node<ReduceAttributes>, g: Symbolic): Symbolic =>
  rawBroadcastTo(g, x!.axes, x!.shape);

/** The number of elements that each output of a reduction comes from, as a value of the graph. */
function countLike(node: Node<ReduceAttributes>, like: Symbolic): Symbolic {
  const count = sizeOfShape(node.attributes.axes.map((axis) => node.inputs[0]!.shape[axis]!));
  return typeof count === 'number' ? scalarLike(like, count) : rawCast(sizeValue(count), like.dtype);
}

/** Gradient to every element that attains the extremum, shared equally. */
function extremumGradient(node: Node<ReduceAttributes>, g: Symbolic): Symbolic {
  const attains = rawCast(rawEqual(node.inputs[0]!, kept(node, node.outputs[0]!)), g.dtype);
  const share = rawDivide(g, rawSum(attains, node.attributes.axes, true));
  return rawMultiply(attains, share);
}

export const sumOperator = reduction({
  name: 'sum',
  onnxType: 'ReduceSum',
  start: 0,
  f: (a, b) => a + b,
  gradient: stretch,
  emptyExample: true,
});
export const meanOperator = reduction({
  name: 'mean',
  onnxType: 'ReduceMean',
  start: 0,
  f: (a, b) => a + b,
  finish: (total, count) => total / count,
  gradient: (node, g) => stretch(node, rawDivide(g, countLike(node, g))),
});
export const maxOperator = reduction({
  name: 'max',
  onnxType: 'ReduceMax',
  start: -Infinity,
  f: Math.max,
  gradient: extremumGradient,
  missesNaN: true,
});
export const minOperator = reduction({
  name: 'min',
  onnxType: 'ReduceMin',
  start: Infinity,
  f: Math.min,
  gradient: extremumGradient,
  missesNaN: true,
});

/** @internal The tensor itself where no axes are reduced. */
export function rawSum(x: Symbolic, axes: readonly number[], keepAxes: boolean): Symbolic {
  return axes.length === 0 ? x : applyOne(sumOperator, [x], { axes, keepAxes });
}

/** The axes `A` without the one named `R`; the last one is tried first, since it is known also of generic axes. */
export type Without<A extends Axes, R extends string> = A extends readonly [...infer L extends Axes, R]
  ? Readonly<L>
  : Readonly<Dropped<A, R>>;

/** A reduction over one named axis, or over all. */
export interface ReduceFunction {
  /** Over all axes, to a number. */
  <A extends Axes>(x: Float<A>): Float<readonly []>;
  /** Over one axis. */
  <A extends Axes, R extends A[number]>(x: Float<A>, axis: R): Float<Without<A, R>>;
}

function reducer(operator: PrimitiveOperator<ReduceAttributes>): ReduceFunction {
  return ((x: Symbolic, axis?: string) => {
    requireFloat(operator.name, x);
    const axes = axis === undefined ? [...x.axes.keys()] : [axisIndex(operator.name, x, axis)];
    return applyOne(operator, [x], { axes, keepAxes: false });
  }) as ReduceFunction;
}

/** The sum over one axis, or over all. */
export const sum = reducer(sumOperator);
/** The mean over one axis, or over all. */
export const mean = reducer(meanOperator);
/** The largest element over one axis, or over all; equal largest elements share the gradient, and NaN wins. */
export const max = reducer(maxOperator);
/** The smallest element over one axis, or over all; equal smallest elements share the gradient, and NaN wins. */
export const min = reducer(minOperator);

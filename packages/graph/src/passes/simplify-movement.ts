import { isFloat, type DType } from '@user-llm/tensor';
import { broadcastToOperator, rawBroadcastTo } from '../operators/broadcast.js';
import { castOperator, rawCast } from '../operators/cast.js';
import { concatOperator } from '../operators/concat.js';
import { padOperator } from '../operators/pad.js';
import { maxOperator, meanOperator, minOperator, sumOperator } from '../operators/reduce.js';
import { rawReshape, reshapeOperator } from '../operators/reshape.js';
import { rawSlice, sliceOperator } from '../operators/slice.js';
import { splitOperator } from '../operators/split.js';
import { rawTranspose, transposeOperator } from '../operators/transpose.js';
import { addSizes, sameShape, sameSize } from '../size.js';
import { madeBy, simplifying, type SimplificationEntry } from './pattern.js';

/** Whole numbers that a dtype holds exactly, as bits of magnitude. */
const wholeBits: Readonly<Record<string, number>> = {
  bool: 1,
  int8: 7,
  uint8: 8,
  float16: 11,
  bfloat16: 8,
  float32: 24,
  int32: 31,
  float64: 53,
  int64: 63,
};
const realRank: Readonly<Record<string, number>> = { float32: 1, float64: 2 };

/** Whether every value of one dtype comes back unchanged from another. */
function survives(dtype: DType, through: DType): boolean {
  if (isFloat(dtype)) return (realRank[through] ?? 0) >= (realRank[dtype] ?? Infinity);
  const signed = dtype.startsWith('int') && !isFloat(through) && !through.startsWith('int');
  return !signed && (wholeBits[through] ?? 0) >= (wholeBits[dtype] ?? Infinity);
}

/** Moves of data that do nothing, or that one move does as well as two. */
export const movementSimplifications: readonly SimplificationEntry[] = [
  simplifying(reshapeOperator, ({ inputs: [x], attributes: { axes, shape }, isOutput }) => {
    const below = madeBy(x!, reshapeOperator);
    const from = below ? below.inputs[0]! : x!;
    if (sameShape(from.shape, shape) && !isOutput) return from;
    return below && rawReshape(from, axes, shape);
  }),
  simplifying(transposeOperator, ({ node, inputs: [x], attributes }) => {
    const below = madeBy(x!, transposeOperator);
    const from = below ? below.inputs[0]! : x!;
    const permutation = attributes.permutation.map((axis) => below?.attributes.permutation[axis] ?? axis);
    const moved = permutation.filter((axis) => !sameSize(from.shape[axis]!, 1));
    // Where only axes of size 1 change their place, no element moves.
    const inOrder = moved.every((axis, at) => at === 0 || moved[at - 1]! < axis);
    if (inOrder) return rawReshape(from, node.outputs[0]!.axes, node.outputs[0]!.shape);
    return below && rawTranspose(from, permutation);
  }),
  simplifying(broadcastToOperator, ({ inputs: [x], attributes: { axes, shape } }) => {
    const below = madeBy(x!, broadcastToOperator);
    return below || sameShape(x!.shape, shape) ? rawBroadcastTo(below?.inputs[0] ?? x!, axes, shape) : undefined;
  }),
  simplifying(castOperator, ({ inputs: [x], attributes: { dtype } }) => {
    const below = madeBy(x!, castOperator);
    const source = below?.inputs[0];
    if (source?.dtype === dtype && survives(dtype, x!.dtype)) return source;
    return x!.dtype === dtype ? rawCast(x!, dtype) : undefined;
  }),
  simplifying(sliceOperator, ({ inputs: [x], attributes: { axis, start, end } }) => {
    if (sameSize(start, 0) && sameSize(end, x!.shape[axis]!)) return x;
    const below = madeBy(x!, sliceOperator);
    if (below?.attributes.axis !== axis) return undefined;
    const from = below.attributes.start;
    return rawSlice(below.inputs[0]!, axis, addSizes(from, start), addSizes(from, end));
  }),
  simplifying(padOperator, ({ inputs: [x], attributes: { before, after } }) =>
    sameSize(before, 0) && sameSize(after, 0) ? x : undefined,
  ),
  simplifying(concatOperator, ({ inputs }) => (inputs.length === 1 ? inputs[0] : undefined)),
  simplifying(splitOperator, ({ inputs: [x], attributes: { sizes } }) => (sizes.length === 1 ? x : undefined)),
  ...[sumOperator, meanOperator, maxOperator, minOperator].map((operator) =>
    simplifying(operator, ({ node, inputs: [x], attributes: { axes } }) =>
      axes.every((axis) => sameSize(x!.shape[axis]!, 1))
        ? rawReshape(x!, node.outputs[0]!.axes, node.outputs[0]!.shape)
        : undefined,
    ),
  ),
];

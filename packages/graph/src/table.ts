import type { CompositeOperator, Operator, PrimitiveOperator } from './operator.js';
import { geluOperator, geluTanhOperator, siluOperator } from './operators/activations.js';
import {
  addOperator,
  subtractOperator,
  multiplyOperator,
  divideOperator,
  powerOperator,
  maximumOperator,
  minimumOperator,
  moduloOperator,
} from './operators/arithmetic.js';
import { attentionOperator } from './operators/attention.js';
import { broadcastToOperator } from './operators/broadcast.js';
import { cachedAttentionOperator } from './operators/cached-attention.js';
import { castOperator } from './operators/cast.js';
import { equalOperator, lessOperator, lessEqualOperator, andOperator, orOperator } from './operators/comparison.js';
import { concatOperator } from './operators/concat.js';
import { crossEntropyOperator } from './operators/cross-entropy.js';
import { cumulativeSumOperator } from './operators/cumulative-sum.js';
import {
  negateOperator,
  absoluteOperator,
  signOperator,
  floorOperator,
  exponentialOperator,
  logarithmOperator,
  squareRootOperator,
  reciprocalOperator,
  sineOperator,
  cosineOperator,
  tanhOperator,
  sigmoidOperator,
  errorFunctionOperator,
  reluOperator,
  notOperator,
  stopGradientOperator,
} from './operators/elementwise.js';
import { argmaxOperator, topKOperator } from './operators/extreme-index.js';
import { gatherOperator, scatterAddOperator } from './operators/gather.js';
import { inputOperator, constantOperator } from './operators/input.js';
import { int8MatmulOperator } from './operators/int8-matmul.js';
import { linearCrossEntropyOperator } from './operators/linear-cross-entropy.js';
import { matmulOperator } from './operators/matmul.js';
import { layerNormOperator, rmsNormOperator } from './operators/normalization.js';
import { oneHotOperator } from './operators/one-hot.js';
import { padOperator } from './operators/pad.js';
import { quantizedMatmulOperator } from './operators/quantized-matmul.js';
import { sumOperator, meanOperator, maxOperator, minOperator } from './operators/reduce.js';
import { reshapeOperator } from './operators/reshape.js';
import { rotaryOperator } from './operators/rotary.js';
import { sizeValueOperator, rangeOperator } from './operators/size-value.js';
import { sliceOperator } from './operators/slice.js';
import { softmaxOperator, logSoftmaxOperator } from './operators/softmax.js';
import { splitOperator } from './operators/split.js';
import { takeAlongOperator, addAlongOperator } from './operators/take-along.js';
import { transposeOperator } from './operators/transpose.js';
import { uniformOperator } from './operators/uniform.js';
import { whereOperator } from './operators/where.js';

/** The table of operators, by name. Tests, costs and runtimes go over it, so that no operator can escape them. */
export const operators = {
  absolute: absoluteOperator,
  add: addOperator,
  addAlong: addAlongOperator,
  and: andOperator,
  argmax: argmaxOperator,
  attention: attentionOperator,
  broadcastTo: broadcastToOperator,
  cachedAttention: cachedAttentionOperator,
  cast: castOperator,
  concat: concatOperator,
  constant: constantOperator,
  cosine: cosineOperator,
  crossEntropy: crossEntropyOperator,
  cumulativeSum: cumulativeSumOperator,
  divide: divideOperator,
  equal: equalOperator,
  errorFunction: errorFunctionOperator,
  exponential: exponentialOperator,
  floor: floorOperator,
  gather: gatherOperator,
  gelu: geluOperator,
  geluTanh: geluTanhOperator,
  input: inputOperator,
  int8Matmul: int8MatmulOperator,
  layerNorm: layerNormOperator,
  less: lessOperator,
  lessEqual: lessEqualOperator,
  linearCrossEntropy: linearCrossEntropyOperator,
  logSoftmax: logSoftmaxOperator,
  logarithm: logarithmOperator,
  matmul: matmulOperator,
  max: maxOperator,
  maximum: maximumOperator,
  mean: meanOperator,
  min: minOperator,
  minimum: minimumOperator,
  modulo: moduloOperator,
  multiply: multiplyOperator,
  negate: negateOperator,
  not: notOperator,
  oneHot: oneHotOperator,
  or: orOperator,
  pad: padOperator,
  power: powerOperator,
  quantizedMatmul: quantizedMatmulOperator,
  range: rangeOperator,
  reciprocal: reciprocalOperator,
  relu: reluOperator,
  reshape: reshapeOperator,
  rmsNorm: rmsNormOperator,
  rotary: rotaryOperator,
  scatterAdd: scatterAddOperator,
  sigmoid: sigmoidOperator,
  sign: signOperator,
  silu: siluOperator,
  sine: sineOperator,
  sizeValue: sizeValueOperator,
  slice: sliceOperator,
  softmax: softmaxOperator,
  split: splitOperator,
  squareRoot: squareRootOperator,
  stopGradient: stopGradientOperator,
  subtract: subtractOperator,
  sum: sumOperator,
  takeAlong: takeAlongOperator,
  tanh: tanhOperator,
  topK: topKOperator,
  transpose: transposeOperator,
  uniform: uniformOperator,
  where: whereOperator,
} as const satisfies Readonly<Record<string, Operator>>;

type Table = typeof operators;

/** The name of an operator of the table. */
export type OperatorName = keyof Table;

/** The name of a primitive operator: a runtime's table of kernels has an entry for each. */
export type PrimitiveName = {
  [N in OperatorName]: Table[N] extends PrimitiveOperator<infer _> ? N : never;
}[OperatorName];

/** The name of a composite operator. */
export type CompositeName = {
  [N in OperatorName]: Table[N] extends CompositeOperator<infer _> ? N : never;
}[OperatorName];

/** The attributes of an operator of the table. */
export type AttributesOf<N extends OperatorName> =
  Table[N] extends PrimitiveOperator<infer A> ? A : Table[N] extends CompositeOperator<infer A> ? A : never;

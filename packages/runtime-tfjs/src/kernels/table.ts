import {
  operators,
  type AttributesOf,
  type Operator,
  type PrimitiveName,
  type PrimitiveOperator,
} from '@user-llm/graph';
import { binary, comparison, divide, extremum, modulo, where } from './arithmetic.js';
import { cast, identity, sign, unary } from './elementwise.js';
import { hostKernel } from './host.js';
import { addAlong, gather, oneHot, scatterAdd, takeAlong } from './indexing.js';
import type { Kernel } from './kernel.js';
import { broadcastTo, concat, pad, reshape, slice, split, transpose } from './layout.js';
import { matmul } from './matmul.js';
import { argmax, cumulativeSum, topK } from './order.js';
import { max, mean, min, sum } from './reduce.js';
import { range, sizeValue } from './sizes.js';
import { logSoftmax, softmax } from './softmax.js';

/** What programs feed and hold themselves. */
type Source = 'input' | 'constant';

/** A kernel for every primitive operator of the graph's table; one that is missing does not compile. */
const kernels: { readonly [N in Exclude<PrimitiveName, Source>]: Kernel<AttributesOf<N>> } = {
  absolute: unary('abs'),
  add: binary('add'),
  addAlong,
  and: binary('logicalAnd'),
  argmax,
  broadcastTo,
  cast,
  concat,
  cosine: unary('cos'),
  cumulativeSum,
  divide,
  equal: binary('equal'),
  errorFunction: unary('erf'),
  exponential: unary('exp'),
  floor: unary('floor'),
  gather,
  less: comparison('less'),
  lessEqual: comparison('lessEqual'),
  logarithm: unary('log'),
  logSoftmax,
  matmul,
  max,
  maximum: extremum('maximum'),
  mean,
  min,
  minimum: extremum('minimum'),
  modulo,
  multiply: binary('mul'),
  negate: unary('neg'),
  not: unary('logicalNot'),
  oneHot,
  or: binary('logicalOr'),
  pad,
  power: binary('pow'),
  range,
  reciprocal: unary('reciprocal'),
  relu: unary('relu'),
  reshape,
  scatterAdd,
  sigmoid: unary('sigmoid'),
  sign,
  sine: unary('sin'),
  sizeValue,
  slice,
  softmax,
  split,
  squareRoot: unary('sqrt'),
  stopGradient: identity,
  subtract: binary('sub'),
  sum,
  takeAlong,
  tanh: unary('tanh'),
  topK,
  transpose,
  // TensorFlow.js has no shifts of unsigned numbers on WebAssembly; the host computes the same bits everywhere.
  uniform: hostKernel(operators.uniform),
  where,
};

/**
 * The kernel of a primitive operator: that of the table, or for an operator that the table does not know its
 * reference kernel, on the host.
 */
export function kernelOf(operator: PrimitiveOperator): Kernel {
  const { name } = operator;
  const known = Object.hasOwn(kernels, name) && (operators[name as PrimitiveName] as Operator<never>) === operator;
  // Each kernel takes the attributes that its own operator makes.
  return known ? (kernels[name as keyof typeof kernels] as Kernel) : hostKernel(operator);
}

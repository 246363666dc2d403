import type { AttributesOf, ExampleInput, OperatorName } from '@user-llm/graph';

/** What an operator is measured on. */
export interface OperatorCase<A> {
  readonly inputs: readonly ExampleInput[];
  readonly attributes: A;
}

/** Rows of a batch of 64 histories of 50 events, the width of a layer, that of its feed-forward part, and items. */
const [users, events, width, hidden, items] = [64, 50, 128, 512, 9742] as const;
const rows = users * events;

const activations: ExampleInput = { shape: [rows, hidden] };
const positive: ExampleInput = { shape: [rows, hidden], values: 'positive' };
const condition: ExampleInput = { dtype: 'bool', shape: [rows, hidden], values: { below: 2 } };
const wholeNumbers: ExampleInput = { dtype: 'int32', shape: [rows, hidden], values: { below: items } };
const table: ExampleInput = { shape: [items, width] };
const perItem: ExampleInput = { shape: [width] };
const logits: ExampleInput = { shape: [rows, items] };
const ids: ExampleInput = { dtype: 'int32', shape: [rows], values: { below: items } };
const labels: ExampleInput = { dtype: 'int32', shape: [rows, 1], values: { below: hidden } };
const tokens: ExampleInput = { shape: [users, events, width] };

const one = { inputs: [activations], attributes: {} };
const oneOfPositive = { inputs: [positive], attributes: {} };
const two = { inputs: [activations, activations], attributes: {} };
const twoPositive = { inputs: [positive, positive], attributes: {} };
const twoConditions = { inputs: [condition, condition], attributes: {} };
const reduced = { inputs: [activations], attributes: { axes: [1], keepAxes: false } };

/**
 * A case for every operator of the table, of the sizes that training the encoder has; a new operator does not compile
 * without one. `undefined` for those with nothing to run: they stand for tensors that are there already.
 */
export const operatorCases: { readonly [N in OperatorName]: OperatorCase<AttributesOf<N>> | undefined } = {
  absolute: one,
  add: two,
  addAlong: {
    inputs: [activations, labels, { shape: [rows, 1] }],
    attributes: { axis: 1 },
  },
  and: twoConditions,
  argmax: { inputs: [logits], attributes: { axis: 1 } },
  attention: {
    inputs: [tokens, tokens, tokens],
    attributes: { heads: 8, keyValueHeads: 8, scale: 0.25, causal: true, window: 0, softCap: 0 },
  },
  broadcastTo: { inputs: [perItem], attributes: { axes: ['row', 'width'], shape: [items, width] } },
  cachedAttention: {
    inputs: [
      { shape: [8, 1, width] },
      { shape: [8, 1, width] },
      { shape: [8, 1, width] },
      { shape: [8, 8, hidden, 16] },
      { shape: [8, 8, hidden, 16] },
      { dtype: 'int32', shape: [8], values: Array<number>(8).fill(events) },
    ],
    attributes: {
      heads: 8,
      keyValueHeads: 8,
      scale: 0.25,
      window: 0,
      softCap: 0,
      interleaved: false,
      holdsScores: false,
    },
  },
  cast: { inputs: [activations], attributes: { dtype: 'int32' } },
  concat: { inputs: [activations, activations], attributes: { axis: 1 } },
  constant: undefined,
  cosine: one,
  crossEntropy: { inputs: [logits, ids], attributes: { smoothing: 0 } },
  cumulativeSum: { inputs: [activations], attributes: { axis: 1, exclusive: false, reverse: false } },
  divide: twoPositive,
  equal: two,
  errorFunction: one,
  exponential: one,
  floor: one,
  gather: { inputs: [table, ids], attributes: { axis: 0 } },
  gelu: one,
  geluTanh: one,
  input: undefined,
  int8Matmul: {
    inputs: [
      { shape: [rows, width] },
      { dtype: 'int32', shape: [width, items], values: { below: 127 } },
      { shape: [items] },
    ],
    attributes: { accuracy: 'int8' },
  },
  layerNorm: { inputs: [tokens, perItem, perItem], attributes: { epsilon: 1e-5 } },
  less: two,
  lessEqual: two,
  linearCrossEntropy: {
    inputs: [{ shape: [rows, width] }, table, ids],
    attributes: { smoothing: 0, rowsAtOnce: 0, softCap: 0 },
  },
  logSoftmax: { inputs: [logits], attributes: { axis: 1 } },
  logarithm: oneOfPositive,
  matmul: {
    inputs: [activations, { shape: [hidden, hidden] }],
    attributes: { transposeLeft: false, transposeRight: false, scale: 1 },
  },
  max: reduced,
  maximum: two,
  mean: reduced,
  min: reduced,
  minimum: two,
  modulo: { inputs: [wholeNumbers, { dtype: 'int32', shape: [], values: [7] }], attributes: {} },
  multiply: two,
  negate: one,
  not: { inputs: [condition], attributes: {} },
  oneHot: { inputs: [labels], attributes: { axis: 'class', size: hidden } },
  or: twoConditions,
  pad: { inputs: [activations], attributes: { axis: 1, before: 1, after: 1, value: 0 } },
  power: twoPositive,
  quantizedMatmul: {
    inputs: [
      { shape: [1, width] },
      { dtype: 'int32', shape: [items, width / 32, 16], values: { below: 256 } },
      { shape: [items, width / 32] },
    ],
    attributes: { bits: 4, block: 32, accuracy: 'float32' },
  },
  range: { inputs: [], attributes: { axes: ['item'], size: items } },
  reciprocal: oneOfPositive,
  relu: one,
  reshape: { inputs: [activations], attributes: { axes: ['row'], shape: [rows * hidden] } },
  rmsNorm: { inputs: [tokens, perItem], attributes: { epsilon: 1e-6 } },
  rotary: {
    inputs: [{ shape: [users, events, 128] }, { shape: [events, 8] }, { shape: [events, 8] }],
    attributes: { heads: 8, interleaved: false },
  },
  scatterAdd: { inputs: [ids, { shape: [rows, width] }], attributes: { axis: 'item', size: items } },
  sigmoid: one,
  sign: one,
  silu: one,
  sine: one,
  sizeValue: { inputs: [], attributes: { size: items } },
  slice: { inputs: [activations], attributes: { axis: 1, start: 0, end: width } },
  softmax: { inputs: [logits], attributes: { axis: 1 } },
  split: { inputs: [activations], attributes: { axis: 1, sizes: [width, width, 2 * width] } },
  squareRoot: oneOfPositive,
  stopGradient: one,
  subtract: two,
  sum: reduced,
  takeAlong: { inputs: [activations, labels], attributes: { axis: 1 } },
  tanh: one,
  topK: { inputs: [logits], attributes: { axis: 1, k: 10, name: 'rank' } },
  transpose: { inputs: [{ shape: [users, events, 8, 16] }], attributes: { permutation: [0, 2, 1, 3] } },
  uniform: {
    inputs: [{ dtype: 'int32', shape: [], values: { below: 100 } }],
    attributes: { axes: ['row', 'hidden'], shape: [rows, hidden], stream: 0 },
  },
  where: { inputs: [condition, activations, activations], attributes: {} },
};

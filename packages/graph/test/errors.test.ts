import { Tensor, UserLlmError } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import {
  add,
  attention,
  constant,
  dropout,
  evaluate,
  flattenParameters,
  gather,
  graph,
  input,
  joinAxes,
  layerNorm,
  matmul,
  operators,
  pad,
  parameter,
  reshape,
  rotaryFrequencies,
  slice,
  sparseCrossEntropy,
  split,
  splitAxis,
  sum,
  symbol,
  transpose,
  type Attributes,
  type Operator,
  type OperatorName,
  type TensorType,
} from '../src/index.js';

const x = input('x', 'float32', ['row', 'column'], [2, 3]);
const w = input('w', 'float32', ['column', 'out'], [4, 5]);
const whole = input('n', 'int32', ['row'], [2]);
const seed = input('seed', 'int32', [], []);

function real(...shape: number[]): TensorType {
  return { dtype: 'float32', axes: shape.map((_, at) => `axis${at}`), shape };
}
const as = (dtype: TensorType['dtype'], type: TensorType): TensorType => ({ ...type, dtype });
const ids = (...shape: number[]): TensorType => as('int32', real(...shape));

/** Inputs that an operator must not take: its name, the code of the error, the inputs, the attributes. */
const refused: readonly (readonly [OperatorName, string, readonly TensorType[], Attributes])[] = [
  ['add', 'dtype-mismatch', [real(2), ids(2)], {}],
  ['add', 'shape-mismatch', [real(2), real(3)], {}],
  ['power', 'dtype-mismatch', [ids(2), ids(2)], {}],
  ['less', 'shape-mismatch', [real(2, 3), real(2)], {}],
  ['and', 'dtype-mismatch', [real(2), real(2)], {}],
  ['not', 'dtype-mismatch', [real(2)], {}],
  ['exponential', 'dtype-mismatch', [ids(2)], {}],
  ['gelu', 'dtype-mismatch', [ids(2)], {}],
  ['where', 'dtype-mismatch', [real(2), real(2), real(2)], {}],
  ['where', 'dtype-mismatch', [as('bool', real(2)), real(2), ids(2)], {}],
  ['matmul', 'shape-mismatch', [real(2, 3), real(4, 5)], { transposeLeft: false, transposeRight: false, scale: 1 }],
  ['matmul', 'shape-mismatch', [real(3), real(3, 5)], { transposeLeft: false, transposeRight: false, scale: 1 }],
  ['matmul', 'dtype-mismatch', [ids(2, 3), ids(3, 5)], { transposeLeft: false, transposeRight: false, scale: 1 }],
  ['broadcastTo', 'shape-mismatch', [real(2)], { axes: ['a'], shape: [3] }],
  ['broadcastTo', 'shape-mismatch', [real(2)], { axes: ['a'], shape: [1] }],
  ['reshape', 'shape-mismatch', [real(2, 3)], { axes: ['a'], shape: [5] }],
  ['transpose', 'axis-mismatch', [real(2, 3)], { permutation: [0, 0] }],
  ['slice', 'out-of-range', [real(2)], { axis: 0, start: 1, end: 3 }],
  ['slice', 'out-of-range', [real(2)], { axis: 0, start: -1, end: 1 }],
  ['slice', 'axis-mismatch', [real(2)], { axis: 1, start: 0, end: 1 }],
  ['pad', 'out-of-range', [real(2)], { axis: 0, before: -1, after: 0, value: 0 }],
  ['concat', 'shape-mismatch', [real(2, 3), real(2, 4)], { axis: 0 }],
  ['split', 'shape-mismatch', [real(4)], { axis: 0, sizes: [1, 2] }],
  ['sum', 'axis-mismatch', [real(2)], { axes: [1], keepAxes: false }],
  ['softmax', 'axis-mismatch', [real(2)], { axis: 2 }],
  ['cumulativeSum', 'axis-mismatch', [real(2)], { axis: -1, exclusive: false, reverse: false }],
  ['argmax', 'axis-mismatch', [real(2)], { axis: 0.5 }],
  ['gather', 'dtype-mismatch', [real(2), real(2)], { axis: 0 }],
  ['gather', 'axis-mismatch', [real(2), ids(2)], { axis: 3 }],
  ['scatterAdd', 'shape-mismatch', [ids(2), real(3)], { axis: 'n', size: 4 }],
  ['takeAlong', 'shape-mismatch', [real(2, 3), ids(3, 3)], { axis: 1 }],
  ['addAlong', 'shape-mismatch', [real(2, 3), ids(2, 1), real(2, 2)], { axis: 1 }],
  ['layerNorm', 'shape-mismatch', [real(2, 3), real(2)], { epsilon: 1 }],
  ['rmsNorm', 'dtype-mismatch', [ids(2, 3), real(3)], { epsilon: 1 }],
  ['crossEntropy', 'shape-mismatch', [real(2, 3), ids(3)], { smoothing: 0 }],
  ['crossEntropy', 'dtype-mismatch', [real(2, 3), real(2)], { smoothing: 0 }],
  [
    'linearCrossEntropy',
    'shape-mismatch',
    [real(2, 3), real(5, 4), ids(2)],
    { smoothing: 0, rowsAtOnce: 0, softCap: 0 },
  ],
  [
    'attention',
    'shape-mismatch',
    [real(1, 2, 4), real(1, 3, 4), real(1, 2, 4)],
    { heads: 2, keyValueHeads: 2, scale: 1, causal: false, window: 0, softCap: 0 },
  ],
  [
    'attention',
    'shape-mismatch',
    [real(1, 2, 4), real(1, 3, 4), real(1, 3, 4)],
    { heads: 2, keyValueHeads: 1, scale: 1, causal: false, window: 0, softCap: 0 },
  ],
  ['uniform', 'dtype-mismatch', [real()], { axes: [], shape: [], stream: 0 }],
];

describe('operators refuse what does not fit', () => {
  it.each(refused)('%s: %s', (name, code, inputs, attributes) => {
    const operator = operators[name] as Operator;
    let error: unknown;
    try {
      operator.infer(inputs, attributes);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(UserLlmError);
    expect(error).toMatchObject({ code });
  });
});

describe('functions refuse what does not fit, past the compiler', () => {
  const logits = input('logits', 'float32', ['row', 'class'], [2, symbol('classes')]);
  it.each([
    ['input with an axis twice', 'bad-shape', () => input('y', 'float32', ['a', 'a'], [1, 1])],
    ['matmul of axes of two names', 'shape-mismatch', () => matmul(x, reshape(w, ['out', 'column'], [4, 5]) as never)],
    ['matmul of two sizes', 'shape-mismatch', () => matmul(x, w)],
    ['add of unrelated axes', 'axis-mismatch', () => add(x, w as never)],
    ['sum over no axis of that name', 'axis-mismatch', () => sum(x, 'time' as never)],
    ['transpose to fewer axes', 'axis-mismatch', () => transpose(x, ['row'])],
    ['slice beyond the end', 'out-of-range', () => slice(x, 'row', 0, 9)],
    ['pad by less than nothing', 'out-of-range', () => pad(x, 'row', 0, -1)],
    ['split into other sizes', 'shape-mismatch', () => split(x, 'column', [1, 1])],
    ['splitAxis with other names', 'axis-mismatch', () => splitAxis(x, 'column', { a: 3, b: 1 }, ['row', 'b', 'a'])],
    ['joinAxes of distant axes', 'shape-mismatch', () => joinAxes(x, ['column', 'row'], 'all', ['all'])],
    ['dropout of everything', 'bad-argument', () => dropout(x, 1, seed, 0)],
    ['an odd number of turned elements', 'bad-argument', () => rotaryFrequencies(3)],
    [
      'heads that do not divide the width',
      'shape-mismatch',
      () => {
        const y = input('y', 'float32', ['b', 't', 'w'], [1, 2, 3]);
        return attention(y, y, y, { heads: 2 });
      },
    ],
    ['a normalisation of another width', 'shape-mismatch', () => layerNorm(x, sum(w, 'column') as never, undefined, 1)],
    ['an unknown number of classes', 'shape-mismatch', () => sparseCrossEntropy(logits, whole)],
    [
      'a dot in a parameter name',
      'bad-name',
      () => flattenParameters({ 'a.b': parameter([], [], { kind: 'constant', value: 0 }) }),
    ],
    ['an output as an input of a graph', 'bad-graph', () => graph([add(x, 1)], {})],
    ['two inputs of one name', 'bad-graph', () => graph([x, input('x', 'float32', [], [])], {})],
    ['an input that is not listed', 'bad-graph', () => graph([], { y: add(x, 1) })],
  ])('%s', (_, code, attempt: () => unknown) => {
    expect(attempt).toThrow(expect.objectContaining({ code }));
  });
});

describe('evaluate refuses feeds that do not fit', () => {
  const source = graph([x], { y: add(x, 1) });
  const fed = (dtype: 'float32' | 'int32', ...shape: number[]) => ({
    dtype,
    shape,
    data: new Float64Array(shape.reduce((a, b) => a * b, 1)),
  });
  it.each([
    ['missing-feed', {}],
    ['unknown-feed', { x: fed('float32', 2, 3), z: fed('float32') }],
    ['dtype-mismatch', { x: fed('int32', 2, 3) }],
    ['shape-mismatch', { x: fed('float32', 3, 2) }],
  ])('%s', (code, feeds) => {
    expect(() => evaluate(source, feeds as Parameters<typeof evaluate>[1])).toThrow(expect.objectContaining({ code }));
  });

  it('and indices that are out of range', () => {
    const far = constant(new Tensor('int32', ['pick'], [1], Int32Array.of(2)));
    expect(() => evaluate(graph([x], { y: gather(x, far) }), { x: fed('float32', 2, 3) })).toThrow(
      expect.objectContaining({ code: 'out-of-range' }),
    );
  });
});

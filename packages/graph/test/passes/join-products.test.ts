import { describe, expect, it } from 'vitest';
import {
  add,
  evaluate,
  graph,
  input,
  joinProducts,
  matmul,
  matmulTransposed,
  multiply,
  print,
  symbol,
  type Graph,
  type ReferenceArray,
} from '../../src/index.js';

const width = 4;
const x = input('x', 'float32', ['row', 'width'], [symbol('row'), width]);
const matrix = (name: string, rows: number) => input(name, 'float32', ['out', 'width'], [rows, width]);
const [a, b, c] = [matrix('a', 3), matrix('b', 2), matrix('c', 2)];

const across = input('across', 'float32', ['width', 'out'], [width, 2]);

const numbers = (shape: readonly number[], from: number): ReferenceArray => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from({ length: shape.reduce((p, q) => p * q, 1) }, (_, at) => Math.sin(from + at)),
});
const feeds = { x: numbers([2, width], 0), a: numbers([3, width], 1), b: numbers([2, width], 2) };
const products = ({ nodes }: Graph): number => nodes.filter(({ operator }) => operator.name === 'matmul').length;

describe('products of one tensor', () => {
  it('become one, of the same numbers and under the same names', () => {
    const source = graph([x, a, b], { first: matmulTransposed(x, a), second: multiply(matmulTransposed(x, b), 2) });
    const { graph: made, joined } = joinProducts(source, { a: 'real', b: 'real' });
    expect(joined).toEqual({ 'a + b': ['a', 'b'] });
    expect(products(made)).toBe(1);
    expect(Object.keys(made.inputs)).toEqual(['x', 'a + b']);
    const whole = numbers([5, width], 0);
    whole.data.set([...feeds.a.data, ...feeds.b.data]);
    const got = evaluate(made, { x: feeds.x, 'a + b': whole });
    for (const [name, { data, shape }] of Object.entries(evaluate(source, feeds))) {
      expect(got[name]!.shape).toEqual(shape);
      expect([...got[name]!.data]).toEqual([...data]);
      expect(made.outputs[name]!.axes).toEqual(source.outputs[name]!.axes);
    }
  });

  it('come together kind by kind', () => {
    const y = [a, b, c].map((own) => matmulTransposed(x, own));
    const source = graph([x, a, b, c], { y0: y[0]!, y1: y[1]!, y2: y[2]! });
    const { graph: made, joined } = joinProducts(source, { a: '8 bits', b: '4 bits', c: '8 bits' });
    expect(joined).toEqual({ 'a + c': ['a', 'c'] });
    expect(products(made)).toBe(2);
  });

  it.each<readonly [string, Graph]>([
    ['of different tensors', graph([x, a, b], { y: matmulTransposed(x, a), z: matmulTransposed(multiply(x, 2), b) })],
    [
      'by a matrix that something else reads',
      graph([x, a, b], { y: matmulTransposed(x, a), z: matmulTransposed(x, b), a }),
    ],
    ['over the other axis', graph([x, a, across], { y: matmulTransposed(x, a), z: matmul(x, across) })],
    ['by one matrix twice', graph([x, b], { y: add(matmulTransposed(x, b), matmulTransposed(x, b)) })],
  ])('stay apart %s', (_, source) => {
    const { graph: made, joined } = joinProducts(source, { a: 'real', b: 'real', across: 'real' });
    expect(joined).toEqual({});
    expect(print(made)).toBe(print(source));
  });

  it('stay apart where they have no kind', () => {
    const source = graph([x, a, b], { y: matmulTransposed(x, a), z: matmulTransposed(x, b) });
    expect(joinProducts(source, { a: 'real' }).joined).toEqual({});
  });
});

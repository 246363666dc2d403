import { Tensor } from '@user-llm/tensor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  constant,
  eliminateCommonSubexpressions,
  exponential,
  graph,
  input,
  multiply,
  pad,
  reshape,
  symbol,
  uniform,
  type Symbolic,
} from '../../src/index.js';
import { attributeText } from '../../src/passes/attribute-text.js';
import { expectEqualGraphs } from '../support/evaluate-equal.js';

const x = input('x', 'float32', ['row'], [4]);
const seed = input('seed', 'int32', [], []);
const other = input('other', 'int32', [], []);

function merged(a: Symbolic, b: Symbolic): boolean {
  const before = graph([x, seed, other], { a, b });
  const after = eliminateCommonSubexpressions(before);
  expectEqualGraphs(before, after);
  return after.outputs['a'] === after.outputs['b'];
}

const number = (value: number) => constant(new Tensor('float32', [], [], Float32Array.of(value)));

describe('eliminateCommonSubexpressions', () => {
  it('merges equal nodes, also where what they read was merged', () => {
    const twice = () => multiply(exponential(add(x, 1)), exponential(add(x, 1)));
    const before = graph([x], { a: twice(), b: twice() });
    const after = eliminateCommonSubexpressions(before);
    expectEqualGraphs(before, after);
    expect(after.nodes.map(({ operator }) => operator.name)).toEqual([
      'input',
      'constant',
      'add',
      'exponential',
      'multiply',
    ]);
  });

  it('tells attributes and inputs apart', () => {
    expect(merged(add(x, 1), add(x, 1))).toBe(true);
    expect(merged(add(x, 1), add(x, 2))).toBe(false);
    expect(merged(add(x, number(0)), add(x, number(-0)))).toBe(false);
    expect(merged(pad(x, 'row', 1, 0, NaN), pad(x, 'row', 1, 0, NaN))).toBe(true);
    expect(merged(pad(x, 'row', 1, 0, 0), pad(x, 'row', 1, 0, -0))).toBe(false);
    expect(merged(reshape(x, ['a', 'b'], [2, 2]), reshape(x, ['a', 'c'], [2, 2]))).toBe(false);
  });

  it('merges random numbers only of one seed, stream and shape', () => {
    const draw = (from: typeof seed, size: number, stream: number) => uniform(from, ['row'], [size], stream);
    expect(merged(draw(seed, 4, 0), draw(seed, 4, 0))).toBe(true);
    expect(merged(draw(seed, 4, 0), draw(seed, 4, 1))).toBe(false);
    expect(merged(draw(seed, 4, 0), draw(other, 4, 0))).toBe(false);
    expect(merged(draw(seed, 4, 0), draw(seed, 3, 0))).toBe(false);
  });

  it('compares large constants by identity', () => {
    const large = () => new Tensor('float32', ['row'], [4000]);
    const shared = large();
    expect(merged(constant(shared), constant(shared))).toBe(true);
    expect(merged(constant(large()), constant(large()))).toBe(false);
  });
});

describe('attributeText', () => {
  it('does not depend on the order of keys, and tells lookalikes apart', () => {
    expect(attributeText({ a: 1, b: [2, 3] })).toBe(attributeText({ b: [2, 3], a: 1 }));
    const lookalikes = [
      0,
      -0,
      '0',
      0n,
      null,
      undefined,
      NaN,
      'NaN',
      [0],
      [[0]],
      ['0'],
      {},
      [],
      symbol('a'),
      'a',
      'size a',
    ];
    expect(new Set(lookalikes.map(attributeText)).size).toBe(lookalikes.length);
  });

  it('is equal exactly for equal values', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    fc.assert(fc.property(value, value, (a, b) => (attributeText(a) === attributeText(b)) === isEqual(a, b)));
    fc.assert(fc.property(value, (a) => attributeText(a) === attributeText(structuredClone(a))));
  });
});

function isEqual(a: unknown, b: unknown): boolean {
  try {
    expect(a).toStrictEqual(b);
    return true;
  } catch {
    return false;
  }
}

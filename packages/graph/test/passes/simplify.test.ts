import { describe, expect, it } from 'vitest';
import {
  add,
  batchMatmul,
  broadcastLike,
  cast,
  concat,
  divide,
  graph,
  input,
  matmul,
  multiply,
  multiplySizes,
  negate,
  not,
  pad,
  power,
  print,
  rename,
  reshape,
  simplify,
  slice,
  split,
  subtract,
  sum,
  symbol,
  transpose,
  type Symbolic,
} from '../../src/index.js';
import { expectEqualGraphs, randomFeeds } from '../support/evaluate-equal.js';

const x = input('x', 'float32', ['row', 'column'], [3, 4]);
const w = input('w', 'float32', ['column', 'out'], [4, 2]);
const u = input('u', 'float32', ['out', 'column'], [2, 4]);
const flag = input('flag', 'bool', ['row', 'column'], [3, 4]);
const one = input('one', 'float32', ['row', 'single', 'column'], [3, 1, 4]);

function simplified(y: Symbolic): string {
  const before = graph([x, w, u, flag, one], { y });
  const after = simplify(before);
  expectEqualGraphs(before, after);
  const inputs = Object.keys(before.inputs).length;
  return print(after).split('\n').slice(inputs).join('\n');
}

describe('simplify', () => {
  it.each([
    ['x * 1', multiply(x, 1)],
    ['1 * x', multiply(1, x)],
    ['x + 0', add(x, 0)],
    ['x - 0', subtract(x, 0)],
    ['x / 1', divide(x, 1)],
    ['x ^ 1', power(x, 1)],
    ['-(-x)', negate(negate(x))],
    ['x * 2 * 0.5', multiply(multiply(x, 2), 0.5)],
    ['a transpose of a transpose', transpose(transpose(x, ['column', 'row']), ['row', 'column'])],
    ['a reshape back', reshape(reshape(x, ['all'], [12]), ['row', 'column'], [3, 4])],
    ['a slice of everything in two steps', slice(slice(x, 'row', 0), 'column', 0, 4)],
    ['no padding', pad(x, 'row', 0, 0)],
    ['one tensor laid after none', concat([x], 'row')],
    ['one part', split(x, 'row', [3])[0]!],
    ['a cast there and back', cast(cast(x, 'float64'), 'float32')],
    ['stretching to its own shape', broadcastLike(x, x)],
  ])('drops %s', (_, y) => {
    expect(simplified(y as Symbolic)).toBe('return y=%0');
  });

  it('drops a negation of a negation', () => expect(simplified(not(not(flag)))).toBe('return y=%3'));

  it('keeps what is not the same', () => {
    expect(simplified(subtract(0, x))).toContain('subtract');
    expect(simplified(cast(cast(x, 'int32'), 'float32')).match(/cast/g)).toHaveLength(2);
    expect(simplified(add(sum(x, 'row'), broadcastLike(sum(x, 'row'), x)))).toContain('add');
  });

  it('joins transposes, and makes one that moves only an axis of size 1 a reshape', () => {
    const turned = transpose(transpose(one, ['column', 'single', 'row']), ['row', 'column', 'single']);
    expect(simplified(turned)).toMatchInlineSnapshot(`
      "%5 = reshape(%4) : float32[row=3, column=4, single=1]
      return y=%5"
    `);
  });

  it('makes transposes and factors attributes of the matrix product', () => {
    const product = multiply(matmul(multiply(x, 3), transpose(u, ['column', 'out'])), 0.5);
    expect(simplified(product)).toMatchInlineSnapshot(`
      "%5 = matmul(%0, %2) {transposeRight, scale=1.5} : float32[row=3, out=2]
      return y=%5"
    `);
  });

  it('leaves a factor where others read the product too', () => {
    const product = matmul(x, w);
    expect(simplified(add(multiply(product, 2), product)).match(/matmul/g)).toHaveLength(1);
  });

  it('leaves stretching to broadcasting', () => {
    expect(simplified(multiply(x, broadcastLike(sum(x, 'column'), x)))).toMatchInlineSnapshot(`
      "%5 = sum(%0) {axes=[1]} : float32[row=3]
      %6 = reshape(%5) : float32[row=3, column=1]
      %7 = multiply(%0, %6) : float32[row=3, column=4]
      return y=%7"
    `);
  });

  it('reads through slices of slices and sums over axes of size 1', () => {
    expect(simplified(slice(slice(x, 'column', 1), 'column', 1, 2))).toMatchInlineSnapshot(`
      "%5 = slice(%0) {axis=1, start=2, end=3} : float32[row=3, column=1]
      return y=%5"
    `);
    expect(simplified(sum(one, 'single'))).toMatchInlineSnapshot(`
      "%5 = reshape(%4) : float32[row=3, column=4]
      return y=%5"
    `);
  });

  it('keeps the names of axes that outputs show', () => {
    expect(simplified(rename(rename(add(x, 0), 'row', 'batch'), 'column', 'width'))).toMatchInlineSnapshot(`
      "%5 = reshape(%0) : float32[batch=3, width=4]
      return y=%5"
    `);
  });

  it('works on symbolic sizes', () => {
    const batch = symbol('batch');
    const y = input('y', 'float32', ['batch', 'row', 'column'], [batch, 2, 3]);
    const turned = transpose(y, ['batch', 'column', 'row']);
    const flat = reshape(reshape(batchMatmul(y, turned), ['all'], [batchTimes(4)]), ['batch', 'pair'], [batch, 4]);
    const before = graph([y], { flat: multiply(flat, 1) });
    const after = simplify(before);
    expect(print(after)).toMatchInlineSnapshot(`
      "%0 = input {name="y"} : float32[batch=batch, row=2, column=3]
      %1 = matmul(%0, %0) {transposeRight, scale=1} : float32[batch=batch, row=2, row=2]
      %2 = reshape(%1) : float32[batch=batch, pair=4]
      return flat=%2"
    `);
    expectEqualGraphs(before, after, randomFeeds(before, 1, { batch: 3 }));
  });
});

function batchTimes(count: number) {
  return multiplySizes(symbol('batch'), count);
}

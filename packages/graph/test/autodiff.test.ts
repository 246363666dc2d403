import type { Id } from '@user-llm/tensor';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  attention,
  differentiate,
  embed,
  evaluate,
  exponential,
  gelu,
  gradients,
  graph,
  input,
  multiply,
  rmsNorm,
  sine,
  stopGradient,
  sum,
  tanh,
  topK,
  type FloatScalar,
  type NamedTensors,
  type ReferenceArray,
} from '../src/index.js';
import { gradientError } from '../src/testing/index.js';
import { randomFeeds } from './support/evaluate-equal.js';

const x = input('x', 'float32', ['row'], [3]);
const feed = (...data: number[]): ReferenceArray => ({
  dtype: 'float32',
  shape: [data.length],
  data: Float64Array.from(data),
});

/** The gradient of a loss by finite differences, compared with the one derived. */
function errorOf(loss: FloatScalar, inputs: NamedTensors, parameters: NamedTensors): number {
  const slopes = Object.entries(gradients(loss, parameters)).map(([name, slope]) => [`d${name}`, slope] as const);
  const source = graph(Object.values(inputs), { loss, ...Object.fromEntries(slopes) });
  return gradientError({ graph: source, feeds: randomFeeds(source, 3), parameters });
}

describe('gradients', () => {
  it('adds up what flows through shared subexpressions', () => {
    const shared = tanh(x);
    const loss = sum(multiply(add(shared, multiply(shared, shared)), exponential(shared)));
    expect(errorOf(loss, { x }, { x })).toBeLessThan(1e-7);
  });

  it('does the work of a chain that doubles paths once per node', () => {
    let y = x;
    for (let at = 0; at < 40; at++) y = add(y, y);
    const { x: slope } = gradients(sum(y), { x });
    const source = graph([x], { slope });
    expect(source.nodes.length).toBeLessThan(200);
    expect([...evaluate(source, { x: feed(1, 2, 3) })['slope']!.data]).toEqual([2 ** 40, 2 ** 40, 2 ** 40]);
  });

  it('is zeros for a parameter that the loss does not depend on', () => {
    const unused = input('unused', 'float32', ['a', 'b'], [2, 3]);
    const { unused: slope } = gradients(sum(x), { unused });
    expect(slope.axes).toEqual(['a', 'b']);
    expect([...evaluate(graph([x, unused], { slope }), randomFeeds(graph([x, unused], {})))['slope']!.data]).toEqual(
      Array(6).fill(0),
    );
  });

  it('stops where it is told to', () => {
    const { x: slope } = gradients(sum(multiply(x, stopGradient(x))), { x });
    expect([...evaluate(graph([x], { slope }), { x: feed(2, 3, 5) })['slope']!.data]).toEqual([2, 3, 5]);
  });

  it('goes through composites, with and without a gradient of their own', () => {
    const query = input('query', 'float32', ['batch', 'event', 'width'], [1, 3, 4]);
    const weight = input('weight', 'float32', ['width'], [4]);
    const normed = rmsNorm(query, weight, 1e-6);
    const mixed = attention(normed, gelu(normed), normed, { heads: 2, causal: true });
    expect(errorOf(sum(multiply(mixed, mixed)), { query, weight }, { query, weight })).toBeLessThan(1e-6);
  });

  it('is taken with respect to tensors inside the graph as well', () => {
    const inner = sine(x);
    const { inner: slope } = gradients(sum(multiply(inner, inner)), { inner });
    const results = evaluate(graph([x], { slope, inner }), { x: feed(0.1, 0.2, 0.3) });
    expect([...results['slope']!.data]).toEqual([...results['inner']!.data].map((value) => 2 * value));
  });

  it('follows the outputs that are read, of operators with several', () => {
    const { values } = topK(x, 2, 'best');
    const { x: slope } = gradients(sum(values), { x });
    expect([...evaluate(graph([x], { slope }), { x: feed(3, 1, 2) })['slope']!.data]).toEqual([1, 0, 1]);
  });

  it('adds up over repeated indices', () => {
    const table = input('table', 'float32', ['item', 'width'], [3, 1]);
    const ids = input('ids', 'int32' as Id<'item'>, ['row'], [4]);
    const { table: slope } = gradients(sum(embed(table, ids)), { table });
    const feeds = {
      table: { ...feed(0, 0, 0), shape: [3, 1] },
      ids: { ...feed(2, 0, 2, 2), dtype: 'int32' as const },
    };
    expect([...evaluate(graph([table, ids], { slope }), feeds)['slope']!.data]).toEqual([1, 0, 3]);
  });

  it('can be taken twice', () => {
    fc.assert(
      fc.property(fc.double({ min: -2, max: 2, noNaN: true }), (at) => {
        const { x: first } = gradients(sum(multiply(tanh(x), multiply(x, x))), { x });
        const { x: second } = gradients(sum(first), { x });
        const t = Math.tanh(at);
        const [d, dd] = [1 - t * t, -2 * t * (1 - t * t)];
        const got = evaluate(graph([x], { second }), { x: feed(at, 0, 0) })['second']!.data[0]!;
        expect(got).toBeCloseTo(2 * t + 4 * at * d + at * at * dd, 10);
      }),
    );
  });

  it('takes other tensors along on the same nodes', () => {
    const query = input('query', 'float32', ['batch', 'event', 'width'], [1, 3, 4]);
    const mixed = attention(query, query, query, { heads: 2 });
    const loss = sum(mixed);
    const derived = differentiate(loss, { query }, { mixed });
    expect(derived.loss.node.inputs[0]).toBe(derived.also.mixed);
  });

  it.each([
    ['shape-mismatch', () => gradients(x as never, { x })],
    ['dtype-mismatch', () => gradients(sum(x), { seed: input('seed', 'int32', [], []) })],
  ])('refuses with %s', (code, attempt) => {
    expect(attempt).toThrow(expect.objectContaining({ code }));
  });
});

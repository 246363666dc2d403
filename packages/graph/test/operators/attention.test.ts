import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attention, evaluate, graph, input, type AttentionOptions, type ReferenceArray } from '../../src/index.js';
import { randomFeeds } from '../support/evaluate-equal.js';

const width = 4;

function attend(
  tokens: number,
  options: AttentionOptions,
  feeds: Readonly<Record<string, ReferenceArray>>,
): Float64Array {
  const tensor = (name: string) => input(name, 'float32', ['batch', 'token', 'width'], [1, tokens, width]);
  const [q, k, v] = [tensor('q'), tensor('k'), tensor('v')];
  return evaluate(graph([q, k, v], { y: attention(q, k, v, options) }), feeds)['y']!.data;
}

function feedsOf(tokens: number, seed: number): Record<string, ReferenceArray> {
  const tensor = (name: string) => input(name, 'float32', ['batch', 'token', 'width'], [1, tokens, width]);
  return randomFeeds(graph([tensor('q'), tensor('k'), tensor('v')], {}), seed);
}

/** The same feeds with everything at one place set to other numbers. */
function changedAt(feeds: Readonly<Record<string, ReferenceArray>>, place: number): Record<string, ReferenceArray> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, array]) => {
      const data = array.data.slice();
      data.fill(9, place * width, (place + 1) * width);
      return [name, { ...array, data }];
    }),
  );
}

describe('attention', () => {
  it('is causal: a change at one place never shows before it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(5), fc.nat(100), (tokens, at, seed) => {
        const place = at % tokens;
        const feeds = feedsOf(tokens, seed);
        const before = attend(tokens, { heads: 2, causal: true }, feeds);
        const after = attend(tokens, { heads: 2, causal: true }, changedAt(feeds, place));
        expect(after.subarray(0, place * width)).toEqual(before.subarray(0, place * width));
        expect(after.subarray(place * width)).not.toEqual(before.subarray(place * width));
      }),
    );
  });

  it('reads no further back than its window', () => {
    const feeds = feedsOf(6, 1);
    const options = { heads: 1, causal: true, window: 2 };
    const [before, after] = [attend(6, options, feeds), attend(6, options, changedAt(feeds, 1))];
    const moved = Array.from({ length: 6 }, (_, place) =>
      before.subarray(place * width, (place + 1) * width).some((value, at) => value !== after[place * width + at]),
    );
    expect(moved).toEqual([false, true, true, false, false, false]);
  });

  it('is the weighted mean that its formula says', () => {
    const feeds = feedsOf(2, 4);
    const [q, k, v] = ['q', 'k', 'v'].map((name) => feeds[name]!.data);
    const dot = (query: number, key: number): number =>
      [0, 1, 2, 3].reduce((total, at) => total + q![query * 4 + at]! * k![key * 4 + at]!, 0) / 2;
    const got = attend(2, { heads: 1 }, feeds);
    for (const query of [0, 1]) {
      const [first, second] = [Math.exp(dot(query, 0)), Math.exp(dot(query, 1))];
      for (let at = 0; at < width; at++) {
        const expected = (first * v![at]! + second * v![width + at]!) / (first + second);
        expect(got[query * width + at]).toBeCloseTo(expected, 12);
      }
    }
  });

  it('gives zeros to a query that may read nothing', () => {
    const x = input('x', 'float32', ['batch', 'token', 'width'], [1, 2, width]);
    const mask = input('mask', 'bool', ['batch', 'query', 'key'], [1, 2, 2]);
    const y = attention(x, x, x, { heads: 2 }, mask);
    const feeds = randomFeeds(graph([x, mask], {}));
    const allowed = { dtype: 'bool', shape: [1, 2, 2], data: Float64Array.of(0, 0, 1, 0) } as const;
    const result = evaluate(graph([x, mask], { y }), { ...feeds, mask: allowed })['y']!.data;
    expect([...result]).toEqual([0, 0, 0, 0, ...feeds['x']!.data.subarray(0, width)]);
  });
});

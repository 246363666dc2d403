import { elements, Random } from '@user-llm/tensor';
import { expect } from 'vitest';
import { bindFeeds, evaluate, evaluateShape, type Graph, type ReferenceArray } from '../../src/index.js';

/** Random values for every input of a graph: normal numbers, and whole numbers below 3 for everything else. */
export function randomFeeds(
  graph: Graph,
  seed = 0,
  sizes: Readonly<Record<string, number>> = {},
): Record<string, ReferenceArray> {
  const random = Random.fromSeed(seed);
  const bindings = new Map(Object.entries(sizes));
  return Object.fromEntries(
    Object.entries(graph.inputs).map(([name, { dtype, shape }]) => {
      const numbers = evaluateShape(shape, bindings);
      const data = new Float64Array(elements(numbers));
      const own = random.split(name);
      if (dtype.startsWith('float')) own.normal(data);
      else own.uniform(data).forEach((value, at) => (data[at] = Math.floor(value * (dtype === 'bool' ? 2 : 3))));
      return [name, { dtype, shape: numbers, data }];
    }),
  );
}

/** Expects two graphs to take the same inputs and to give the same outputs, up to rounding in float64. */
export function expectEqualGraphs(
  before: Graph,
  after: Graph,
  feeds: Readonly<Record<string, ReferenceArray>> = randomFeeds(before),
  tolerance = 1e-12,
): void {
  expect(after.inputs).toEqual(before.inputs);
  expect(Object.keys(after.outputs)).toEqual(Object.keys(before.outputs));
  bindFeeds(after, feeds);
  const expected = evaluate(before, feeds);
  const got = evaluate(after, feeds);
  for (const [name, { dtype, shape, data }] of Object.entries(expected)) {
    const result = got[name]!;
    expect({ name, dtype: result.dtype, shape: result.shape }).toEqual({ name, dtype, shape });
    expect(after.outputs[name]!.axes).toEqual(before.outputs[name]!.axes);
    const scale = data.reduce(
      (largest, value) => (Number.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest),
      1,
    );
    const wrong = data.findIndex((value, at) => {
      const other = result.data[at]!;
      return !(Object.is(value, other) || value === other || Math.abs(value - other) <= tolerance * scale);
    });
    expect(wrong < 0 ? 'equal' : `${name}[${wrong}]: ${data[wrong]} and ${result.data[wrong]}`).toBe('equal');
  }
}

import { describe, expect, it } from 'vitest';
import { add, expand, graph, input, multiply, operators, optimize, tanh, type Operator } from '../../src/index.js';
import { exampleCases, gradientCase } from '../../src/testing/index.js';
import { expectEqualGraphs, randomFeeds } from '../support/evaluate-equal.js';
import { symbolic, tiny, transformerGraph } from '../support/transformer.js';

describe('optimize', () => {
  for (const operator of (Object.values(operators) as Operator[]).filter(({ examples }) => examples.length > 0)) {
    it(`keeps the results and gradients of ${operator.name}`, () => {
      for (const example of exampleCases(operator)) {
        expectEqualGraphs(example.graph, optimize(example.graph), example.feeds);
        expectEqualGraphs(example.graph, optimize(expand(example.graph)), example.feeds);
        const slopes = gradientCase(example);
        if (slopes) expectEqualGraphs(slopes.graph, optimize(expand(slopes.graph)), slopes.feeds, 1e-7);
      }
    });
  }

  it('keeps the loss and all gradients of a language model, in fewer nodes', () => {
    const before = transformerGraph({ ...tiny, layers: 2, dropout: 0.5 });
    for (const source of [before, expand(before)]) {
      const after = optimize(source);
      expectEqualGraphs(before, after, randomFeeds(before), 1e-6);
      expect(after.nodes.length).toBeLessThan(0.85 * source.nodes.length);
    }
  });

  it('keeps a graph of symbolic sizes', () => {
    const before = transformerGraph(symbolic);
    expectEqualGraphs(before, optimize(expand(before)), randomFeeds(before, 2, { batch: 3, token: 4 }), 1e-6);
  });

  it('changes nothing the second time', () => {
    const once = optimize(expand(transformerGraph(tiny)));
    expect(optimize(once).nodes).toEqual(once.nodes);
  });

  it('goes through 5,000 nodes in a row', () => {
    const x = input('x', 'float32', ['row'], [2]);
    let y = x;
    for (let at = 0; at < 2500; at++) y = multiply(tanh(add(y, at % 7)), 1);
    const before = graph([x], { y });
    const after = optimize(before);
    expect(after.nodes.length).toBeLessThan(5100);
    expectEqualGraphs(before, after);
  });
});

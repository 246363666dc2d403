import { describe, expect, it } from 'vitest';
import { evaluate, holdScores, operators, orderedNodes } from '../../src/index.js';
import { exampleCases } from '../../src/testing/index.js';

describe('attention that may hold its scores', () => {
  it.each(exampleCases(operators.cachedAttention))('gives the same: $title', ({ graph: source, feeds }) => {
    const held = holdScores(source);
    const told = [source, held].map((graph) =>
      orderedNodes(Object.values(graph.outputs))
        .filter(({ operator }) => (operator as unknown) === operators.cachedAttention)
        .map(({ attributes }) => (attributes as { readonly holdsScores?: boolean }).holdsScores),
    );
    expect(told[0]!.length).toBeGreaterThan(0);
    expect(told[0]!.includes(true)).toBe(false);
    expect(told[1]!.every((own) => own === true)).toBe(true);
    expect(evaluate(held, feeds)).toEqual(evaluate(source, feeds));
  });

  it.each(exampleCases(operators.softmax))('leaves other nodes as they are: $title', ({ graph: source }) => {
    const nodes = (graph: typeof source) => orderedNodes(Object.values(graph.outputs));
    expect(nodes(holdScores(source)).map(({ operator }) => operator.name)).toEqual(
      nodes(source).map(({ operator }) => operator.name),
    );
  });
});

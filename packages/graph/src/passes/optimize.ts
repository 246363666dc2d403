import type { Graph } from '../graph.js';
import { eliminateCommonSubexpressions } from './common-subexpressions.js';
import { foldConstants } from './fold-constants.js';
import { simplify } from './simplify.js';

/** One round almost always suffices; the bound only makes sure of an end. */
const mostRounds = 8;

function same(a: Graph, b: Graph): boolean {
  return Object.entries(a.outputs).every(([name, tensor]) => b.outputs[name] === tensor);
}

/**
 * The same computation by fewer nodes: constants folded, no-ops and what nothing reads dropped, equal nodes merged;
 * again until nothing changes. Differentiate first: what is optimised has the same values, not the same formulas.
 */
export function optimize(source: Graph): Graph {
  let current = source;
  for (let round = 0; round < mostRounds; round++) {
    const next = eliminateCommonSubexpressions(simplify(foldConstants(current)));
    if (same(current, next)) return next;
    current = next;
  }
  return current;
}

import type { Graph } from '../graph.js';
import { rewrite } from '../rewrite.js';
import type { Symbolic } from '../symbolic.js';
import type { Simplification } from './pattern.js';
import { arithmeticSimplifications } from './simplify-arithmetic.js';
import { matmulSimplifications } from './simplify-matmul.js';
import { movementSimplifications } from './simplify-movement.js';

const simplifications: ReadonlyMap<unknown, Simplification> = new Map(
  [...arithmeticSimplifications, ...matmulSimplifications, ...movementSimplifications].map(
    ({ operator, simplify: rule }) => [operator, rule] as const,
  ),
);

/** How many nodes and outputs read each tensor of a graph. */
function countUses(source: Graph): ReadonlyMap<Symbolic, number> {
  const uses = new Map<Symbolic, number>();
  const count = (tensor: Symbolic): unknown => uses.set(tensor, (uses.get(tensor) ?? 0) + 1);
  source.nodes.forEach(({ inputs }) => inputs.forEach(count));
  Object.values(source.outputs).forEach(count);
  return uses;
}

/**
 * The graph without what does nothing: neutral elements of arithmetic, moves of data that undo or follow each other,
 * and transposes and constant factors that a matrix product does itself.
 *
 * Results are the same but for rounding, where constant factors are joined, and the sign of zero in `x + 0`.
 */
export function simplify(source: Graph): Graph {
  const counted = countUses(source);
  const outputs = new Set(Object.values(source.outputs));
  const uses = (tensor: Symbolic): number => counted.get(tensor) ?? 0;
  return rewrite(source, (node, inputs) => {
    const found = { node, inputs, attributes: node.attributes, uses, isOutput: outputs.has(node.outputs[0]!) };
    const simpler = simplifications.get(node.operator)?.(found);
    return simpler && [simpler];
  });
}

import { orderedNodes, type Graph } from '../graph.js';
import { rewrite, rewriteNodes } from '../rewrite.js';
import { nextNodeId, type Node, type Symbolic } from '../symbolic.js';

/** The outputs of a composite node by primitive operators and those composites that `keep` holds on to. */
export function expandNode(
  node: Node,
  inputs: readonly Symbolic[],
  keep: (node: Node) => boolean,
): readonly Symbolic[] {
  if (node.operator.kind !== 'composite') return node.outputs;
  const before = nextNodeId();
  const parts = node.operator.decompose(inputs, node.attributes);
  const substitution = rewriteNodes(orderedNodes(parts, before), (part, partInputs) =>
    part.operator.kind === 'composite' && !keep(part) ? expandNode(part, partInputs, keep) : undefined,
  );
  return parts.map((tensor) => substitution.of(tensor));
}

/** The graph with composite operators replaced by what they are made of, except those that `keep` holds on to. */
export function expand(source: Graph, keep: (node: Node) => boolean = () => false): Graph {
  return rewrite(source, (node, inputs) =>
    node.operator.kind === 'composite' && !keep(node) ? expandNode(node, inputs, keep) : undefined,
  );
}

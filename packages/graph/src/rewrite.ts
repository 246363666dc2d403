import { graph, type Graph, type NamedTensors } from './graph.js';
import { apply } from './operator.js';
import { inputOperator } from './operators/input.js';
import { rawReshape } from './operators/reshape.js';
import type { Node, Symbolic } from './symbolic.js';

/** What a pass makes of a node whose inputs are rewritten already: new outputs, or `undefined` to leave it. */
export type RewriteRule = (node: Node, inputs: readonly Symbolic[]) => readonly Symbolic[] | undefined;

/** Old tensors to new ones. */
export class Substitution {
  readonly #outputs = new Map<Node, readonly Symbolic[]>();

  /** What a tensor of the old graph has become. */
  of(tensor: Symbolic): Symbolic {
    return this.#outputs.get(tensor.node)?.[tensor.output] ?? tensor;
  }

  /** What tensors by name have become. */
  ofNamed(tensors: NamedTensors): NamedTensors {
    return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, this.of(tensor)]));
  }

  set(node: Node, outputs: readonly Symbolic[]): void {
    this.#outputs.set(node, outputs);
  }
}

/** Rewrites nodes in order (each after those it reads); nodes that nothing changed stay the same objects. */
export function rewriteNodes(
  nodes: readonly Node[],
  rule: RewriteRule,
  substitution = new Substitution(),
): Substitution {
  for (const node of nodes) {
    const inputs = node.inputs.map((tensor) => substitution.of(tensor));
    const replaced = rule(node, inputs);
    if (replaced) substitution.set(node, replaced);
    else if (inputs.some((tensor, at) => tensor !== node.inputs[at])) {
      substitution.set(node, apply(node.operator, inputs, node.attributes));
    }
  }
  return substitution;
}

/**
 * A graph with a rule applied to every node; the inputs stay, and what nothing needs any more is gone. A rule may
 * change the names of axes, which mean nothing between operators: the outputs get theirs back.
 */
export function rewrite(source: Graph, rule: RewriteRule): Graph {
  const guarded: RewriteRule = (node, inputs) =>
    (node.operator as unknown) === inputOperator ? undefined : rule(node, inputs);
  const substitution = rewriteNodes(source.nodes, guarded);
  const outputs = Object.entries(source.outputs).map(([name, tensor]) => {
    return [name, rawReshape(substitution.of(tensor), tensor.axes, tensor.shape)] as const;
  });
  return graph(Object.values(source.inputs), Object.fromEntries(outputs));
}

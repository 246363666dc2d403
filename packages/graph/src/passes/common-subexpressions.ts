import type { Graph } from '../graph.js';
import { apply } from '../operator.js';
import { rewrite } from '../rewrite.js';
import type { Symbolic } from '../symbolic.js';
import { attributeText, identityOf } from './attribute-text.js';

/**
 * The graph with one node in the place of several that apply the same operator to the same inputs with equal
 * attributes. Random numbers are equal only for the same seed, stream and shape, since those are what they depend on.
 */
export function eliminateCommonSubexpressions(source: Graph): Graph {
  const found = new Map<string, readonly Symbolic[]>();
  return rewrite(source, (node, inputs) => {
    const read = inputs.map((tensor) => `${tensor.node.id}:${tensor.output}`).join();
    const key = `${identityOf(node.operator)}(${read})${attributeText(node.attributes)}`;
    const first = found.get(key);
    if (first) return first;
    const same = inputs.every((tensor, at) => tensor === node.inputs[at]);
    const outputs = same ? node.outputs : apply(node.operator, inputs, node.attributes);
    found.set(key, outputs);
    return outputs;
  });
}

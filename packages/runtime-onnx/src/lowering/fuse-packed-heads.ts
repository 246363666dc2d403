import type { ModelNode } from '../onnx-model.js';

/** The operators that take queries, keys and values side by side as one input, in place of three. */
const attentionOperators: ReadonlySet<string> = new Set(['GroupQueryAttention']);

/**
 * Attention that reads queries, keys and values where one product has put them side by side, instead of three parts cut
 * out of it that nothing else reads.
 *
 * @param outputs Names of the values that come out of the model.
 */
export function fusePackedHeads(nodes: readonly ModelNode[], outputs: ReadonlySet<string>): readonly ModelNode[] {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const readers = new Map<string, number>();
  for (const name of [...nodes.flatMap(({ inputs }) => inputs), ...outputs])
    readers.set(name, (readers.get(name) ?? 0) + 1);
  const gone = new Set<ModelNode>();
  const packed = nodes.map((node) => {
    if (!attentionOperators.has(node.op)) return node;
    const parts = node.inputs.slice(0, 3);
    const split = makers.get(parts[0]!);
    const whole = split?.op === 'Split' && split.outputs.join() === parts.join();
    if (!whole || parts.some((name) => readers.get(name)! > 1)) return node;
    gone.add(split);
    return { ...node, inputs: [split.inputs[0]!, '', '', ...node.inputs.slice(3)] };
  });
  return packed.filter((node) => !gone.has(node));
}

import type { ModelNode, ModelValue } from '../onnx-model.js';
import { runsNodes } from './releases.js';

/** What is known of a model while its nodes are rewritten. */
export interface ModelFacts {
  /** By the names of values; those that are unknown are absent. */
  readonly types: ReadonlyMap<string, Pick<ModelValue, 'dtype' | 'shape'>>;
  /** Names of the values that come out of the model. */
  readonly outputs: ReadonlySet<string>;
  /** The release of ONNX Runtime 1 that is to run it. */
  readonly release: number;
}

/** The ranks that ONNX Runtime's fused operator takes. */
const fusedRanks: ReadonlySet<number> = new Set([2, 3]);

/**
 * Sums that an RMS norm reads, each made by the norm's node: one operator of ONNX Runtime gives both. What else reads
 * such a sum goes on doing so.
 */
export function fuseResiduals(
  nodes: readonly ModelNode[],
  { types, outputs, release }: ModelFacts,
): readonly ModelNode[] {
  const makers = new Map(nodes.flatMap((node, at) => node.outputs.map((name) => [name, at] as const)));
  const read = new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputs]);
  const fused = new Map<ModelNode, ModelNode>();
  const gone = new Set<ModelNode>();
  for (const norm of nodes) {
    const [sum, weight] = norm.inputs as readonly [string, string];
    const [result, ...statistics] = norm.outputs as readonly [string, ...string[]];
    if (norm.op !== 'SimplifiedLayerNormalization' || statistics.some((name) => read.has(name))) continue;
    const at = makers.get(sum);
    const add = at === undefined ? undefined : nodes[at]!;
    if (add?.op !== 'Add' || fused.has(add)) continue;
    const [left, right] = add.inputs.map((name) => types.get(name));
    const alike = left?.shape.join() === right?.shape.join() && left?.dtype === 'float32';
    if (!alike || !fusedRanks.has(left.shape.length)) continue;
    // The new node stands where the sum is made.
    if ((makers.get(weight) ?? -1) >= at!) continue;
    const epsilon = norm.attributes!['epsilon']!;
    const both: ModelNode = {
      op: 'SkipSimplifiedLayerNormalization',
      inputs: [...add.inputs, weight],
      outputs: [result, '', '', sum],
      domain: 'com.microsoft',
      name: `${add.name}_${norm.name}`,
      attributes: { epsilon },
    };
    if (!runsNodes([both], release)) continue;
    fused.set(add, both);
    gone.add(norm);
  }
  return nodes.flatMap((node) => (gone.has(node) ? [] : [fused.get(node) ?? node]));
}

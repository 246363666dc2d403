import type { ModelNode } from '../onnx-model.js';

/**
 * The first release of ONNX Runtime 1, by its minor number, whose kernels do what models ask of them: those before take
 * negative indices that models make too large, and refuse to add up nothing.
 */
export const oldestRelease = 17;

/**
 * For operators that came later or did other than what models ask of them at first, the first release of ONNX
 * Runtime 1 whose CPU kernel does it.
 */
const firstReleases: Readonly<Record<string, number>> = {
  LayerNormalization: 19,
  MultiHeadAttention: 20,
  // Not tried on older ones.
  SkipSimplifiedLayerNormalization: 20,
  MatMulNBits: 23,
  // Not tried on older ones.
  MatMulIntegerToFloat: 30,
  RotaryEmbedding: 23,
  GroupQueryAttention: 24,
};

/** The release that a version such as `1.30.0` is of: its minor number. */
export function releaseOf(version: string): number {
  return Number(version.split('.')[1]);
}

/** Whether a release multiplies matrices of whole numbers, as `int8Matmul` has it. */
export function multipliesIntegers(release: number): boolean {
  return release >= firstReleases['MatMulIntegerToFloat']!;
}

/** Whether a release runs these nodes as they are meant. */
export function runsNodes(nodes: readonly ModelNode[], release: number): boolean {
  return nodes.every(({ op }) => release >= (firstReleases[op] ?? oldestRelease));
}

/** Attention reads sinks from this release on; not tried on older ones. */
const firstWithSinks = 30;
/** How many inputs attention has in all releases that have it. */
const attentionInputs = 9;

/** Nodes as a release takes them: without sinks, which say how attention is computed, where it does not know them. */
export function withoutUnknownInputs(nodes: readonly ModelNode[], release: number): readonly ModelNode[] {
  if (release >= firstWithSinks) return nodes;
  return nodes.map((node) =>
    node.op === 'GroupQueryAttention' ? { ...node, inputs: node.inputs.slice(0, attentionInputs) } : node,
  );
}

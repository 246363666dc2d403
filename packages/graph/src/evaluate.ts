import { UserLlmError, type Tensor } from '@user-llm/tensor';
import { bindFeeds } from './feeds.js';
import type { Graph } from './graph.js';
import { inputOperator, type InputAttributes } from './operators/input.js';
import type { ReferenceArray } from './operator.js';
import { expand } from './passes/expand.js';
import { referenceArray } from './reference-kernels.js';
import { evaluateShape, evaluateSize } from './size.js';
import type { Node, Symbolic } from './symbolic.js';

/**
 * Runs a graph by the reference kernels: slow, in float64 whatever the dtypes, and the meaning that every runtime is
 * tested against.
 *
 * @param feeds One array per input of the graph.
 * @returns One array per output.
 * @throws UserLlmError as `bindFeeds`, and `out-of-range` for an index that is.
 */
export function evaluate(
  graph: Graph,
  feeds: Readonly<Record<string, ReferenceArray>>,
): Record<string, ReferenceArray> {
  const bindings = bindFeeds(graph, feeds);
  const primitive = expand(graph);
  const values = new Map<Node, readonly ReferenceArray[]>();
  const read = (tensor: Symbolic): ReferenceArray => values.get(tensor.node)![tensor.output]!;
  for (const node of primitive.nodes) {
    values.set(node, runReference(node, node.inputs.map(read), bindings, feeds));
  }
  return Object.fromEntries(Object.entries(primitive.outputs).map(([name, tensor]) => [name, read(tensor)]));
}

function runReference(
  { operator, attributes, outputs }: Node,
  inputs: readonly ReferenceArray[],
  bindings: ReadonlyMap<string, number>,
  feeds: Readonly<Record<string, ReferenceArray>>,
): readonly ReferenceArray[] {
  if ((operator as unknown) === inputOperator) return [feeds[(attributes as InputAttributes).name]!];
  if (operator.kind !== 'primitive')
    throw new UserLlmError('not-runnable', { what: operator.name, expected: 'an expanded graph' });
  const types = outputs.map(({ dtype, shape }) => ({ dtype, shape: evaluateShape(shape, bindings) }));
  return operator.reference(inputs, { attributes, outputs: types, size: (size) => evaluateSize(size, bindings) });
}

/** A host tensor as an array of the reference kernels. */
export function toReference(tensor: Tensor): ReferenceArray {
  return referenceArray(tensor.dtype, tensor.shape, Float64Array.from(tensor.cast('float64').contiguous().data));
}

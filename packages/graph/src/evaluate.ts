import { UserLlmError, type Tensor } from '@user-llm/tensor';
import type { Graph } from './graph.js';
import { inputOperator, type InputAttributes } from './operators/input.js';
import type { ReferenceArray } from './operator.js';
import { expand } from './passes/expand.js';
import { referenceArray } from './reference-kernels.js';
import { bindShape, evaluateShape, evaluateSize } from './size.js';
import type { Node, Symbolic } from './symbolic.js';

/**
 * The sizes that feeds bind, checked against the declared shapes.
 *
 * @throws UserLlmError `missing-feed`, `unknown-feed`, `dtype-mismatch`, `shape-mismatch`, or `axis-mismatch` when a feed has axis
 *   names and they are others.
 */
export function bindFeeds(
  graph: Graph,
  feeds: Readonly<
    Record<string, { readonly dtype: string; readonly shape: readonly number[]; readonly axes?: readonly string[] }>
  >,
): Map<string, number> {
  const unknown = Object.keys(feeds).find((name) => !Object.hasOwn(graph.inputs, name));
  if (unknown !== undefined) {
    throw new UserLlmError('unknown-feed', {
      what: `feed ${JSON.stringify(unknown)}`,
      expected: `one of ${Object.keys(graph.inputs).join(', ')}`,
    });
  }
  const bindings = new Map<string, number>();
  // Twice: sizes such as past+token can be checked only when both names are bound.
  for (let pass = 0; pass < 2; pass++) {
    for (const [name, declared] of Object.entries(graph.inputs)) {
      const fed = feeds[name];
      if (!fed) {
        throw new UserLlmError('missing-feed', {
          what: `feed ${JSON.stringify(name)}`,
          expected: `${declared.dtype}[${declared.shape.join(', ')}]`,
          got: 'nothing',
          mend: `Feed all of ${Object.keys(graph.inputs).join(', ')}.`,
        });
      }
      if (fed.dtype !== declared.dtype) {
        throw new UserLlmError('dtype-mismatch', {
          what: `feed ${JSON.stringify(name)}`,
          expected: declared.dtype,
          got: fed.dtype,
          mend: 'Convert the tensor with cast first.',
        });
      }
      if (
        fed.axes &&
        fed.axes.length === declared.axes.length &&
        declared.axes.some((axis, at) => axis !== fed.axes![at])
      ) {
        throw new UserLlmError('axis-mismatch', {
          what: `feed ${JSON.stringify(name)}`,
          expected: `[${declared.axes.join(', ')}]`,
          got: `[${fed.axes.join(', ')}]`,
          mend: 'Transpose the tensor, or name its axes as the graph does.',
        });
      }
      bindShape(`feed ${JSON.stringify(name)} [${declared.axes.join(', ')}]`, declared.shape, fed.shape, bindings);
    }
  }
  return bindings;
}

/**
 * Checks values that a run's outputs are to be written into.
 *
 * @param bindings The sizes that the feeds bind, as `bindFeeds` gives them.
 * @throws UserLlmError `unknown-output`, `dtype-mismatch`, `shape-mismatch`.
 */
export function requireOutputs(
  graph: Graph,
  into: Readonly<Record<string, { readonly dtype: string; readonly shape: readonly number[] }>>,
  bindings: ReadonlyMap<string, number>,
): void {
  for (const [name, { dtype, shape }] of Object.entries(into)) {
    const what = `value for output ${JSON.stringify(name)}`;
    const made = Object.hasOwn(graph.outputs, name) ? graph.outputs[name] : undefined;
    if (!made)
      throw new UserLlmError('unknown-output', { what, expected: `one of ${Object.keys(graph.outputs).join(', ')}` });
    if (dtype !== made.dtype) throw new UserLlmError('dtype-mismatch', { what, expected: made.dtype, got: dtype });
    const expected = evaluateShape(made.shape, bindings);
    if (`${expected}` !== `${shape}`) {
      throw new UserLlmError('shape-mismatch', {
        what,
        expected: `[${expected.join(', ')}]`,
        got: `[${shape.join(', ')}]`,
      });
    }
  }
}

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

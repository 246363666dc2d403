import { UserLlmError } from '@user-llm/tensor';
import { inputOperator, type InputAttributes } from './operators/input.js';
import type { Node, Symbolic } from './symbolic.js';

/** Symbolic tensors by name. */
export type NamedTensors = Readonly<Record<string, Symbolic>>;

/** A computation: what is fed, what comes out, and all nodes between. */
export interface Graph {
  /** By name; what the caller declared, also where nothing reads it. */
  readonly inputs: NamedTensors;
  readonly outputs: NamedTensors;
  /** Every node that the outputs need, and every input's node; each after those it reads. */
  readonly nodes: readonly Node[];
}

/** The name of a symbolic input, or `undefined` for any other tensor. */
export function inputName(tensor: Symbolic): string | undefined {
  return (tensor.node.operator as unknown) === inputOperator
    ? (tensor.node.attributes as InputAttributes).name
    : undefined;
}

/**
 * A graph from its inputs and outputs.
 *
 * @param inputs Made by `input`; their names must differ.
 * @param outputs What to compute, by the names under which results come.
 * @throws UserLlmError `bad-graph` when a name occurs twice, something else is given as an input, or the outputs
 *   read an input that is not listed.
 */
export function graph(inputs: readonly Symbolic[], outputs: NamedTensors): Graph {
  const named = new Map<string, Symbolic>();
  for (const tensor of inputs) {
    const name = inputName(tensor);
    if (name === undefined || (named.has(name) && named.get(name) !== tensor)) {
      throw new UserLlmError('bad-graph', {
        what: 'inputs of a graph',
        expected: 'tensors made by input(), each with a name of its own',
        got: name === undefined ? `an output of ${tensor.node.operator.name}` : `${JSON.stringify(name)} twice`,
      });
    }
    named.set(name, tensor);
  }
  const listed = new Set(inputs.map(({ node }) => node));
  const nodes = orderedNodes([...inputs, ...Object.values(outputs)]);
  const missing = nodes.find((node) => (node.operator as unknown) === inputOperator && !listed.has(node));
  if (missing) {
    throw new UserLlmError('bad-graph', {
      what: 'graph',
      expected: 'every input that the outputs read in the list of inputs',
      got: `no ${JSON.stringify((missing.attributes as InputAttributes).name)}`,
      mend: 'Add it to the inputs.',
    });
  }
  return { inputs: Object.fromEntries(named), outputs, nodes };
}

/**
 * All nodes that the tensors need, each after those it reads, in an order that depends on nothing but the graph.
 *
 * @param after Only nodes created after the one of this id, and what they need of each other.
 */
export function orderedNodes(tensors: readonly Symbolic[], after = -1): Node[] {
  const order: Node[] = [];
  const state = new Map<Node, 'open' | 'done'>();
  const stack = tensors
    .map(({ node }) => node)
    .filter(({ id }) => id > after)
    .reverse();
  while (stack.length > 0) {
    const node = stack.at(-1)!;
    if (state.get(node) === undefined) {
      state.set(node, 'open');
      // Reversed, so that the first input is visited first.
      for (let at = node.inputs.length - 1; at >= 0; at--) {
        const source = node.inputs[at]!.node;
        if (source.id > after && state.get(source) === undefined) stack.push(source);
      }
    } else {
      stack.pop();
      if (state.get(node) === 'open') {
        state.set(node, 'done');
        order.push(node);
      }
    }
  }
  return order;
}

import { isFloat, UserLlmError } from '@user-llm/tensor';
import { orderedNodes, type NamedTensors } from './graph.js';
import { mismatch, typeText } from './inference.js';
import { rawAdd } from './operators/arithmetic.js';
import { rawBroadcastTo } from './operators/broadcast.js';
import { scalarLike } from './operators/elementwise.js';
import { expandNode } from './passes/expand.js';
import { rewriteNodes } from './rewrite.js';
import { sameShape } from './size.js';
import type { FloatScalar, Node, Symbolic } from './symbolic.js';

/** Whether gradients need what a composite is made of: it has no gradient of its own. */
function needsExpansion(node: Node): boolean {
  return node.operator.kind === 'composite' && node.operator.gradient === undefined;
}

/** The nodes through which any of `sources` reaches a tensor. */
function dependents(nodes: readonly Node[], sources: ReadonlySet<Node>): Set<Node> {
  const reached = new Set<Node>(sources);
  for (const node of nodes) {
    if (node.inputs.some((tensor) => reached.has(tensor.node))) reached.add(node);
  }
  return reached;
}

/** A loss, its gradients, and what the tensors that the caller named have become. */
export interface Differentiated<P extends NamedTensors, M extends NamedTensors> {
  readonly loss: FloatScalar;
  /** One gradient per parameter, of its type; a parameter that the loss does not depend on has a gradient of zeros. */
  readonly gradients: { readonly [K in keyof P]: P[K] };
  /** The tensors given as `also`, sharing all nodes with the loss. */
  readonly also: { readonly [K in keyof M]: M[K] };
}

/**
 * Reverse-mode differentiation of a loss.
 *
 * Composite operators without a gradient of their own are expanded on the way, so the loss returned may have other
 * nodes than the one given; `also` takes other tensors (metrics, logits) along, so that nothing is computed twice.
 *
 * @param loss One number.
 * @param parameters Tensors of real numbers with respect to which to differentiate, by name; any nodes of the graph.
 * @throws UserLlmError `shape-mismatch` when the loss is not one number, `dtype-mismatch` when a parameter is not of
 *   real numbers.
 */
export function differentiate<P extends NamedTensors, M extends NamedTensors = Readonly<Record<never, never>>>(
  loss: FloatScalar,
  parameters: P,
  also: M = {} as M,
): Differentiated<P, M> {
  if (loss.shape.length !== 0)
    throw mismatch('gradients', 'a loss that is one number', [loss], 'Reduce it with sum or mean.');
  for (const [name, parameter] of Object.entries(parameters)) {
    if (!isFloat(parameter.dtype)) {
      throw new UserLlmError('dtype-mismatch', {
        what: `gradient of ${name}`,
        expected: 'real numbers',
        got: typeText(parameter),
      });
    }
  }
  const sources = new Set(Object.values(parameters).map(({ node }) => node));
  const original = orderedNodes([loss, ...Object.values(also)]);
  const varying = dependents(original, sources);
  const substitution = rewriteNodes(original, (node, inputs) =>
    varying.has(node) && !sources.has(node) && needsExpansion(node)
      ? expandNode(node, inputs, (part) => !needsExpansion(part))
      : undefined,
  );
  const expanded = substitution.of(loss) as FloatScalar;
  const gradients = backward(expanded, sources);
  const gradientOf = (parameter: Symbolic): Symbolic =>
    gradients.get(parameter.node)?.[parameter.output] ??
    rawBroadcastTo(scalarLike(parameter, 0), parameter.axes, parameter.shape);
  return {
    loss: expanded,
    gradients: Object.fromEntries(
      Object.entries(parameters).map(([name, parameter]) => [name, gradientOf(parameter)]),
    ) as P,
    also: substitution.ofNamed(also) as M,
  };
}

/**
 * Gradients of a loss with respect to parameters, as more of the same graph.
 *
 * @returns One gradient per parameter, by its name and of its type.
 * @throws UserLlmError as `differentiate`.
 */
export function gradients<P extends NamedTensors>(loss: FloatScalar, parameters: P): { readonly [K in keyof P]: P[K] } {
  return differentiate(loss, parameters).gradients;
}

/** Gradients of the loss with respect to the outputs of every node between it and the sources. */
function backward(loss: FloatScalar, sources: ReadonlySet<Node>): Map<Node, (Symbolic | undefined)[]> {
  const nodes = orderedNodes([loss]);
  const varying = dependents(nodes, sources);
  const collected = new Map<Node, (Symbolic | undefined)[]>([[loss.node, []]]);
  collected.get(loss.node)![loss.output] = scalarLike(loss, 1);
  for (const node of nodes.reverse()) {
    const received = collected.get(node);
    if (!received || sources.has(node) || !varying.has(node) || node.inputs.length === 0) continue;
    const rule = node.operator.gradient;
    if (rule === undefined || rule === 'none') continue;
    const passed = rule(
      node,
      node.outputs.map((_, output) => received[output]),
    );
    node.inputs.forEach((tensor, at) => {
      const gradient = passed[at];
      if (gradient === undefined || !varying.has(tensor.node) || !isFloat(tensor.dtype)) return;
      if (!sameShape(gradient.shape, tensor.shape)) {
        throw mismatch(
          `gradient of ${node.operator.name}`,
          `the shape of ${typeText(tensor)}`,
          [gradient],
          'The rule is wrong.',
        );
      }
      const sofar = collected.get(tensor.node) ?? [];
      sofar[tensor.output] = sofar[tensor.output] ? rawAdd(sofar[tensor.output]!, gradient) : gradient;
      collected.set(tensor.node, sofar);
    });
  }
  return collected;
}

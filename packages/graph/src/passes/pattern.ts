import type { Operator } from '../operator.js';
import { broadcastToOperator } from '../operators/broadcast.js';
import { constantOperator } from '../operators/input.js';
import { reshapeOperator } from '../operators/reshape.js';
import { sameShape, type Size } from '../size.js';
import type { Attributes, Node, Symbolic } from '../symbolic.js';

/** A node that a pass looks at, with inputs that are rewritten already. */
export interface Rewritten<A extends Attributes = Attributes> {
  /** The node as it was. */
  readonly node: Node<A>;
  readonly inputs: readonly Symbolic[];
  readonly attributes: A;
  /** How many nodes and outputs of the graph read a tensor of the graph as it was. */
  uses(tensor: Symbolic): number;
  /** Whether the node's first output is one of the graph, so that the names of its axes show. */
  readonly isOutput: boolean;
}

/** What a node's only output may be replaced by; `undefined` where it stays. Axis names may differ. */
export type Simplification<A extends Attributes = Attributes> = (node: Rewritten<A>) => Symbolic | undefined;

/** A simplification for an operator, kept with it so that its attributes have their type. */
export interface SimplificationEntry {
  readonly operator: unknown;
  readonly simplify: Simplification;
}

/** Joins an operator with what simplifies it. */
export function simplifying<A extends Attributes>(
  operator: Operator<A>,
  simplify: Simplification<A>,
): SimplificationEntry {
  return { operator, simplify: (node) => simplify(node as Rewritten<A>) };
}

/** The node of a tensor if that operator made it. */
export function madeBy<A extends Attributes>(tensor: Symbolic, operator: Operator<A>): Node<A> | undefined {
  return (tensor.node.operator as unknown) === operator ? (tensor.node as Node as Node<A>) : undefined;
}

/** A tensor times a number. */
export interface Scaled {
  readonly tensor: Symbolic;
  readonly factor: number;
  /** Which input of the product the tensor is. */
  readonly at: 0 | 1;
}

/** What is scaled, and by how much, where one of two factors is the same number everywhere and stretches nothing. */
export function scaledFactor(inputs: readonly Symbolic[], shape: readonly Size[]): Scaled | undefined {
  for (const at of [0, 1] as const) {
    const factor = uniformValue(inputs[1 - at]!);
    const tensor = inputs[at]!;
    if (factor !== undefined && sameShape(tensor.shape, shape)) return { tensor, factor, at };
  }
  return undefined;
}

/** The number that every element of a tensor is, if it is one constant, perhaps stretched. */
export function uniformValue(tensor: Symbolic): number | undefined {
  const made = madeBy(tensor, constantOperator);
  if (made) {
    const { value } = made.attributes;
    return value.size === 1 ? value.cast('float64').contiguous().data[0] : undefined;
  }
  const moved = madeBy(tensor, broadcastToOperator) ?? madeBy(tensor, reshapeOperator);
  return moved && uniformValue(moved.inputs[0]!);
}

import type { Axes, DType } from '@user-llm/tensor';
import type { Operator } from './operator.js';
import type { Size } from './size.js';

/** The type of a tensor that does not exist yet: element type, axis names, and sizes that may be symbolic. */
export interface TensorType<D extends DType = DType, A extends Axes = Axes> {
  readonly dtype: D;
  readonly axes: A;
  readonly shape: readonly Size[];
}

/** One output of a node of the graph: a tensor that exists when the graph runs. */
export interface Symbolic<D extends DType = DType, A extends Axes = Axes> extends TensorType<D, A> {
  readonly node: Node;
  /** Which output of the node it is. */
  readonly output: number;
}

/** A symbolic float32 tensor, the most frequent kind. */
export type Float<A extends Axes = Axes> = Symbolic<'float32', A>;

/** Axes that other arguments decide: each is compared, none is inferred. */
export type Decided<A extends Axes> = { readonly [I in keyof A]: NoInfer<A[I]> };

/** A symbolic float32 number. */
export type FloatScalar = Symbolic<'float32', readonly []>;

/** What a node is told besides its inputs; plain data, so that equal nodes can be found and printed. */
export type Attributes = object;

/** An application of an operator. Nodes are immutable, and a graph is whatever its outputs reach. */
export interface Node<A extends Attributes = Attributes> {
  /** Rises with the order of creation; inputs have lower ids. */
  readonly id: number;
  readonly operator: Operator<A>;
  readonly inputs: readonly Symbolic[];
  readonly attributes: A;
  readonly outputs: readonly Symbolic[];
}

let created = 0;

/** @internal The next id of a node. */
export function nextNodeId(): number {
  return created++;
}

import type { DType } from '@user-llm/tensor';
import type { Cost } from './cost.js';
import type { OnnxEmitter, OnnxOperand } from './onnx.js';
import type { Size } from './size.js';
import { nextNodeId, type Attributes, type Node, type Symbolic, type TensorType } from './symbolic.js';

/** A tensor of the reference kernels: whatever the dtype, the elements are float64, dense and row-major. */
export interface ReferenceArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** A tensor type whose sizes are numbers. */
export interface ConcreteType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** What a reference kernel is told. */
export interface ReferenceContext<A extends Attributes> {
  readonly attributes: A;
  /** Types of the outputs to make. */
  readonly outputs: readonly ConcreteType[];
  /** The number that a size of the attributes stands for. */
  size(size: Size): number;
}

/** How the values of an example's input are drawn. */
export type ExampleValues =
  /** Standard normal numbers. */
  | 'normal'
  /** Uniform from 0.5 to 2. */
  | 'positive'
  /** Distinct numbers at least 0.1 apart and 0.05 from 0, shuffled, so that extrema and signs are stable under small changes. */
  | 'distinct'
  /** Whole numbers from 0 up to and excluding `below`. */
  | { readonly below: number }
  /** These numbers. */
  | readonly number[];

/** One input of an example. */
export interface ExampleInput {
  readonly dtype?: DType;
  readonly shape: readonly number[];
  readonly values?: ExampleValues;
}

/** A case that every operator is tested with, on every runtime: forward, gradient, cost and shape. */
export interface Example<A extends Attributes> {
  /** What the case is about, such as `broadcast` or `empty`. */
  readonly name: string;
  readonly inputs: readonly ExampleInput[];
  readonly attributes: A;
  /** False where the function has a kink or a jump, so that finite differences say nothing. */
  readonly smooth?: false;
  /** How many outputs tests look at, the first ones; the others have elements that no one may read. */
  readonly judged?: number;
}

interface OperatorBase<A extends Attributes> {
  readonly name: string;
  /** Types of the outputs from the types of the inputs; throws a `UserLlmError` when they do not fit. */
  infer(inputs: readonly TensorType[], attributes: A): readonly TensorType[];
  /** Cases for the tests over the table: ordinary, empty, size 1, broadcast, repeated indices. */
  readonly examples: readonly Example<A>[];
}

interface GradientMethod<A extends Attributes> {
  rule(node: Node<A>, outputGradients: readonly (Symbolic | undefined)[]): readonly (Symbolic | undefined)[];
}

/**
 * Gradients of the inputs from those of the outputs; `undefined` stands for zero, both ways.
 *
 * Taken from a method, so that an operator of particular attributes is an operator.
 */
export type GradientRule<A extends Attributes> = GradientMethod<A>['rule'];

/** An operator that runtimes have a kernel for. */
export interface PrimitiveOperator<A extends Attributes = Attributes> extends OperatorBase<A> {
  readonly kind: 'primitive';
  /** `'none'` where the outputs are whole numbers, constant almost everywhere, or random. */
  readonly gradient: GradientRule<A> | 'none';
  /** Floating-point operations, and bytes where they are not those of all inputs and outputs. */
  cost(inputs: readonly ConcreteType[], outputs: readonly ConcreteType[], attributes: A): Cost;
  /** The operator as nodes of ONNX; returns the names of the outputs. */
  onnx(emitter: OnnxEmitter, inputs: readonly OnnxOperand[], node: Node<A>): readonly string[];
  /** The operator in plain TypeScript and float64: the meaning that every runtime is tested against. */
  reference(inputs: readonly ReferenceArray[], context: ReferenceContext<A>): readonly ReferenceArray[];
}

/** An operator defined by others; runtimes may run it in one piece, and need not know it. */
export interface CompositeOperator<A extends Attributes = Attributes> extends OperatorBase<A> {
  readonly kind: 'composite';
  /** The same outputs by other operators. Gradient, cost and reference kernel follow from it. */
  decompose(inputs: readonly Symbolic[], attributes: A): readonly Symbolic[];
  /** A gradient better than that of the decomposition. */
  readonly gradient?: GradientRule<A>;
  /** A fused form in ONNX; returns `undefined` where it does not apply, and the decomposition is used. */
  onnx?(emitter: OnnxEmitter, inputs: readonly OnnxOperand[], node: Node<A>): readonly string[] | undefined;
}

/** An operator: what it makes of types and values, its gradient, its cost, its form in ONNX. */
export type Operator<A extends Attributes = Attributes> = PrimitiveOperator<A> | CompositeOperator<A>;

/** A primitive operator as a value; `kind` is filled in. */
export function definePrimitive<A extends Attributes>(
  definition: Omit<PrimitiveOperator<A>, 'kind'>,
): PrimitiveOperator<A> {
  return { kind: 'primitive', ...definition };
}

/** A composite operator as a value; `kind` is filled in. */
export function defineComposite<A extends Attributes>(
  definition: Omit<CompositeOperator<A>, 'kind'>,
): CompositeOperator<A> {
  return { kind: 'composite', ...definition };
}

/**
 * Adds a node to the graph that `inputs` belong to.
 *
 * @returns The node's outputs.
 * @throws UserLlmError what the operator's `infer` throws when the inputs do not fit.
 */
export function apply<A extends Attributes>(
  operator: Operator<A>,
  inputs: readonly Symbolic[],
  attributes: A,
): readonly Symbolic[] {
  const types = operator.infer(inputs, attributes);
  const outputs: Symbolic[] = [];
  const node: Node<A> = { id: nextNodeId(), operator, inputs, attributes, outputs };
  types.forEach(({ dtype, axes, shape }, output) => outputs.push({ dtype, axes, shape, node, output }));
  return outputs;
}

/** `apply` for operators of one output. */
export function applyOne<A extends Attributes>(
  operator: Operator<A>,
  inputs: readonly Symbolic[],
  attributes: A,
): Symbolic {
  return apply(operator, inputs, attributes)[0]!;
}

import { elements, type Random, Tensor, UserLlmError, type Axes } from '@user-llm/tensor';
import type { NamedTensors } from './graph.js';
import { input } from './operators/input.js';
import type { Float, Symbolic } from './symbolic.js';

/** How a parameter's first values are made. */
export type Initializer =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly standardDeviation: number }
  /** Uniform between minus and plus the bound. */
  | { readonly kind: 'uniform'; readonly bound: number };

/** What is known of a parameter before it has values. */
export interface ParameterSpec<A extends Axes = Axes> {
  readonly kind: 'parameter';
  readonly axes: A;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
}

/** Parameters by name, in a tree: the path of a leaf, joined by dots, is its name in a checkpoint. */
export interface ParameterTree {
  readonly [name: string]: ParameterSpec | ParameterTree;
}

/** The symbolic tensors of a tree of parameters, in the same tree. */
export type SymbolicParameters<T extends ParameterTree> = {
  readonly [K in keyof T]: T[K] extends ParameterSpec<infer A>
    ? Float<A>
    : T[K] extends ParameterTree
      ? SymbolicParameters<T[K]>
      : never;
};

/** A part of a model: what its parameters are, and what it makes of inputs, as a pure function on symbolic tensors. */
export interface Module<T extends ParameterTree = ParameterTree, Inputs = unknown, Outputs = unknown> {
  readonly parameters: T;
  apply(parameters: SymbolicParameters<T>, inputs: Inputs): Outputs;
}

/** A parameter of float32. */
export function parameter<const A extends Axes>(
  axes: A,
  shape: { readonly [I in keyof A]: number },
  initializer: Initializer,
): ParameterSpec<A> {
  return { kind: 'parameter', axes, shape: shape as readonly number[], initializer };
}

function isSpec(node: ParameterSpec | ParameterTree): node is ParameterSpec {
  return (node as ParameterSpec).kind === 'parameter' && Array.isArray((node as ParameterSpec).axes);
}

/**
 * The parameters of a tree by their full names, in the tree's order.
 *
 * @throws UserLlmError `bad-name` when a name contains a dot, since paths are joined by dots.
 */
export function flattenParameters(tree: ParameterTree, prefix = ''): Map<string, ParameterSpec> {
  const flat = new Map<string, ParameterSpec>();
  for (const [name, node] of Object.entries(tree)) {
    if (name.includes('.')) {
      throw new UserLlmError('bad-name', {
        what: `parameter ${prefix}${name}`,
        expected: 'a name without dots',
        got: name,
      });
    }
    if (isSpec(node)) flat.set(prefix + name, node);
    else for (const [path, spec] of flattenParameters(node, `${prefix}${name}.`)) flat.set(path, spec);
  }
  return flat;
}

/** A tree of parameters as inputs of a graph. */
export interface ParameterInputs<T extends ParameterTree> {
  /** In the tree's form, for `Module.apply`. */
  readonly tree: SymbolicParameters<T>;
  /** By full name, for `gradients`, `graph` and training. */
  readonly named: NamedTensors;
}

/** Makes an input of the graph for every parameter of a tree, named by its path. */
export function parameterInputs<T extends ParameterTree>(tree: T): ParameterInputs<T> {
  const named = Object.fromEntries(
    [...flattenParameters(tree)].map(([name, { axes, shape }]) => [
      name,
      input(name, 'float32', axes, shape as never) as Symbolic,
    ]),
  );
  return { tree: unflatten(tree, named, '') as SymbolicParameters<T>, named };
}

function unflatten(tree: ParameterTree, named: NamedTensors, prefix: string): object {
  return Object.fromEntries(
    Object.entries(tree).map(([name, node]) => [
      name,
      isSpec(node) ? named[prefix + name] : unflatten(node, named, `${prefix}${name}.`),
    ]),
  );
}

/**
 * First values of all parameters. Each depends on the seed and its own name alone, so that adding a parameter
 * changes no other.
 *
 * @returns Host tensors by full name.
 */
export function initializeParameters(tree: ParameterTree, random: Random): Record<string, Tensor<'float32'>> {
  const tensors: Record<string, Tensor<'float32'>> = {};
  for (const [name, spec] of flattenParameters(tree)) {
    const data = new Float32Array(elements(spec.shape));
    fill(data, spec.initializer, random.split(name));
    tensors[name] = new Tensor('float32', spec.axes, spec.shape, data);
  }
  return tensors;
}

function fill(data: Float32Array, initializer: Initializer, random: Random): void {
  if (initializer.kind === 'constant') data.fill(initializer.value);
  else if (initializer.kind === 'normal') random.normal(data, { standardDeviation: initializer.standardDeviation });
  else random.uniform(data, { low: -initializer.bound, high: initializer.bound });
}

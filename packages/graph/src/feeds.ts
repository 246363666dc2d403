import { UserLlmError } from '@user-llm/tensor';
import type { Graph } from './graph.js';
import type { GraphSource } from './runtime.js';
import { bindShape, evaluateShape } from './size.js';
import type { Symbolic } from './symbolic.js';

/** What is checked of a tensor or a value. */
interface Typed {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly axes?: readonly string[];
}

type AllTyped = Readonly<Record<string, Typed>>;

/**
 * The sizes that feeds bind, checked against the declared shapes.
 *
 * @param bound Sizes that are known already.
 * @throws UserLlmError `missing-feed`, `unknown-feed`, `dtype-mismatch`, `shape-mismatch`, or `axis-mismatch` when a feed has axis
 *   names and they are others.
 */
export function bindFeeds(
  graph: Graph,
  feeds: AllTyped,
  bound: ReadonlyMap<string, number> = new Map(),
): Map<string, number> {
  return bind(graph.inputs, feeds, bound, (name) => `feed ${JSON.stringify(name)}`);
}

/**
 * Checks inputs that are given once rather than fed, such as frozen parameters.
 *
 * @returns The graph with the inputs that are left to feed, and the sizes that the given ones bind.
 * @throws UserLlmError as `bindFeeds`.
 */
export function bindGiven(
  graph: Graph,
  given: AllTyped,
): { readonly fed: Graph; readonly bound: ReadonlyMap<string, number> } {
  const inputs = Object.entries(graph.inputs);
  requireKnown(graph.inputs, given, describeGiven);
  const declared = Object.fromEntries(inputs.filter(([name]) => Object.hasOwn(given, name)));
  const bound = bind(declared, given, new Map(), describeGiven);
  return {
    fed: { ...graph, inputs: Object.fromEntries(inputs.filter(([name]) => !Object.hasOwn(given, name))) },
    bound,
  };
}

function describeGiven(name: string): string {
  return `given input ${JSON.stringify(name)}`;
}

function bind(
  inputs: Graph['inputs'],
  feeds: AllTyped,
  bound: ReadonlyMap<string, number>,
  describe: (name: string) => string,
): Map<string, number> {
  requireKnown(inputs, feeds, describe);
  const bindings = new Map(bound);
  // Twice: sizes such as past+token can be checked only when both names are bound.
  for (let pass = 0; pass < 2; pass++) {
    for (const [name, declared] of Object.entries(inputs)) {
      const fed = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
      if (fed === undefined || fed === null) {
        throw new UserLlmError('missing-feed', {
          what: describe(name),
          expected: `${declared.dtype}[${declared.shape.join(', ')}]`,
          got: 'nothing',
          mend: `Feed all of ${Object.keys(inputs).join(', ')}.`,
        });
      }
      requireElements(describe(name), declared, fed);
      bindShape(`${describe(name)} [${declared.axes.join(', ')}]`, declared.shape, fed.shape, bindings);
    }
  }
  return bindings;
}

function requireKnown(inputs: Graph['inputs'], feeds: AllTyped, describe: (name: string) => string): void {
  const unknown = Object.keys(feeds).find((name) => !Object.hasOwn(inputs, name));
  if (unknown === undefined) return;
  throw new UserLlmError('unknown-feed', {
    what: describe(unknown),
    expected: `one of ${Object.keys(inputs).join(', ')}`,
  });
}

/** Checks everything but the shape: that it is a tensor, its dtype, the names of its axes. */
function requireElements(what: string, { dtype, axes }: Pick<Symbolic, 'dtype' | 'axes'>, given: Typed): void {
  if (!isTyped(given)) throw noTensor(what, `a tensor of ${dtype}`, given);
  if (given.dtype !== dtype) {
    const mend = 'Convert the tensor with cast first.';
    throw new UserLlmError('dtype-mismatch', { what, expected: dtype, got: given.dtype, mend });
  }
  if (given.axes?.length !== axes.length || axes.every((axis, at) => axis === given.axes![at])) return;
  throw new UserLlmError('axis-mismatch', {
    what,
    expected: `[${axes.join(', ')}]`,
    got: `[${given.axes.join(', ')}]`,
    mend: 'Transpose the tensor, or name its axes as the graph does.',
  });
}

function isTyped(value: unknown): value is Typed {
  if (typeof value !== 'object' || value === null) return false;
  const { dtype, shape } = value as { readonly dtype?: unknown; readonly shape?: unknown };
  return typeof dtype === 'string' && Array.isArray(shape);
}

function noTensor(what: string, expected: string, given: unknown): UserLlmError {
  const mend = 'Make a tensor of it with `tensor`.';
  return new UserLlmError('dtype-mismatch', { what, expected, got: describeOther(given), mend });
}

function describeOther(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `${String(value)}, a ${typeof value}`;
  return `an object of ${(value as { readonly constructor?: { readonly name?: string } }).constructor?.name ?? 'no class'}`;
}

/**
 * Checks that a tensor has the type of what it is to replace.
 *
 * @throws UserLlmError `dtype-mismatch`, `axis-mismatch`, `shape-mismatch`.
 */
export function requireSameType(
  what: string,
  wanted: { readonly dtype: Symbolic['dtype']; readonly axes: Symbolic['axes']; readonly shape: readonly number[] },
  given: Typed,
): void {
  requireElements(what, wanted, given);
  if (`${wanted.shape}` !== `${given.shape}`) throw wrongShape(what, wanted.shape, given.shape);
}

/**
 * Checks values that a run's outputs are to be written into.
 *
 * @param bindings The sizes that the feeds bind, as `bindFeeds` gives them.
 * @throws UserLlmError `unknown-output`, `dtype-mismatch`, `axis-mismatch`, `shape-mismatch`.
 */
export function requireOutputs(graph: Graph, into: AllTyped, bindings: ReadonlyMap<string, number>): void {
  for (const [name, value] of Object.entries(into)) {
    const what = `value for output ${JSON.stringify(name)}`;
    const made = Object.hasOwn(graph.outputs, name) ? graph.outputs[name] : undefined;
    if (!made)
      throw new UserLlmError('unknown-output', { what, expected: `one of ${Object.keys(graph.outputs).join(', ')}` });
    requireElements(what, made, value);
    const expected = evaluateShape(made.shape, bindings);
    if (`${expected}` !== `${value.shape}`) throw wrongShape(what, expected, value.shape);
  }
}

function wrongShape(what: string, expected: readonly number[], got: readonly number[]): UserLlmError {
  return new UserLlmError('shape-mismatch', { what, expected: `[${expected.join(', ')}]`, got: `[${got.join(', ')}]` });
}

/**
 * The shapes of feeds, as a `GraphSource` takes them.
 *
 * @throws UserLlmError `dtype-mismatch` for a feed that is no tensor.
 */
export function feedShapes(feeds: AllTyped): Record<string, readonly number[]> {
  const shapes = Object.entries(feeds).map(([name, fed]) => {
    if (isTyped(fed)) return [name, fed.shape] as const;
    throw noTensor(`feed ${JSON.stringify(name)}`, 'a tensor', fed);
  });
  return Object.fromEntries(shapes);
}

/**
 * The graph for shapes of feeds.
 *
 * @throws UserLlmError `missing-feed` when the source fails for want of the shape of a feed; else what it throws.
 */
export function graphFor(source: GraphSource, shapes: Readonly<Record<string, readonly number[]>>): Graph {
  if (typeof source !== 'function') return source;
  let missing: string | undefined;
  const watched = new Proxy(shapes, {
    get: (target, name, receiver): unknown => {
      if (typeof name === 'string' && !Object.hasOwn(target, name)) missing ??= name;
      return Reflect.get(target, name, receiver) as unknown;
    },
  });
  try {
    return source(watched);
  } catch (cause) {
    if (missing === undefined || UserLlmError.isInstance(cause)) throw cause;
    throw new UserLlmError('missing-feed', {
      what: `feed ${JSON.stringify(missing)}`,
      expected: 'a tensor, whose shape the graph is made for',
      got: 'nothing',
      mend: 'Feed it too.',
      cause,
    });
  }
}

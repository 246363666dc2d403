import { setImmediate } from 'node:timers/promises';
import {
  bindFeeds,
  bindGiven,
  evaluateShape,
  evaluateSize,
  expand,
  inputName,
  requireOutputs,
  type Feeds,
  type Graph,
  type Node,
  type Program as GraphProgram,
  type ProgramRunOptions,
  type SizeBindings,
  type Symbolic,
} from '@user-llm/graph';
import { elements, Tensor, UserLlmError } from '@user-llm/tensor';
import { requireSupported } from './dtypes.js';
import { withEngine, type Engine, type EngineTensor } from './engine/engine.js';
import { filled, type Kernel } from './kernels/kernel.js';
import { kernelOf } from './kernels/table.js';
import { SharedTensors } from './shared-tensors.js';
import { Use } from './use.js';
import { requireOwn, upload, Value } from './value.js';

/** What a run gives back; whoever gets it disposes of it. */
export type Results = Readonly<Record<string, Value>>;

/** One node with what runs it. */
interface Step {
  readonly node: Node;
  readonly kernel: Kernel;
  /** Tensors that nothing reads after this node. */
  readonly last: readonly Symbolic[];
}

type Held = Map<Symbolic, EngineTensor>;

/** Milliseconds after which a run lets the event loop turn. */
const patience = 8;

/** A graph made ready to run on an engine, node by node; every tensor is released as soon as its last reader ran. */
export class Program implements GraphProgram {
  readonly graph: Graph;
  readonly #engine: Engine;
  readonly #primitive: Graph;
  readonly #steps: readonly Step[];
  readonly #constants: Held = new Map();
  /** The graph without its frozen inputs, and the sizes that these bind. */
  readonly #fed: ReturnType<typeof bindGiven>;
  readonly #frozen: Readonly<Record<string, Tensor>>;
  readonly #shared: SharedTensors;
  /** Copies of the frozen inputs. */
  readonly #lent: Held = new Map();
  readonly #use = new Use(() => this.#release());

  /**
   * @param frozen Inputs that never change, by name; they are not fed.
   * @param shared Where programs that are given one tensor find one copy of it.
   * @throws UserLlmError `unsupported-dtype` when the graph computes with numbers that TensorFlow.js does not have; for
   *   `frozen` as `run` for feeds.
   */
  constructor(
    engine: Engine,
    graph: Graph,
    frozen: Readonly<Record<string, Tensor>> = {},
    shared = new SharedTensors(engine),
  ) {
    this.graph = graph;
    this.#fed = bindGiven(graph, frozen);
    this.#frozen = frozen;
    this.#shared = shared;
    this.#engine = engine;
    this.#primitive = expand(graph);
    for (const { operator, outputs } of this.#primitive.nodes) {
      for (const output of outputs) requireSupported(`output of ${operator.name}`, output);
    }
    this.#steps = plan(this.#primitive);
    for (const node of this.#primitive.nodes) {
      const value = constantOf(node);
      if (value) this.#constants.set(node.outputs[0]!, upload(engine, value));
    }
    for (const [name, tensor] of Object.entries(frozen)) {
      this.#lent.set(graph.inputs[name]!, shared.acquire(tensor));
    }
  }

  /**
   * Runs the graph, letting the event loop turn between nodes.
   *
   * @throws UserLlmError `missing-feed`, `unknown-feed`, `unknown-output`, `dtype-mismatch`, `shape-mismatch`,
   *   `axis-mismatch`, `disposed`, `aborted`, `foreign-value`, `out-of-range` or `division-by-zero` for bad input, `engine-failed` when a kernel fails.
   */
  async run(feeds: Feeds, { into = {}, signal }: ProgramRunOptions = {}): Promise<Results> {
    const state = this.#begin(feeds, into);
    this.#use.begin();
    try {
      let since = performance.now();
      for (const step of this.#steps) {
        if (signal?.aborted)
          throw new UserLlmError('aborted', { what: 'run', got: 'its signal aborted', cause: signal.reason });
        if (performance.now() - since > patience) {
          await setImmediate();
          since = performance.now();
        }
        withEngine(this.#engine, () => this.#execute(step, state));
      }
      return this.#finish(state);
    } finally {
      release(state.own);
      this.#use.end();
    }
  }

  /** `run` at once, with the event loop held up meanwhile. */
  runSync(feeds: Feeds, { into = {} }: Pick<ProgramRunOptions, 'into'> = {}): Results {
    const state = this.#begin(feeds, into);
    try {
      withEngine(this.#engine, () => this.#steps.forEach((step) => this.#execute(step, state)));
      return this.#finish(state);
    } finally {
      release(state.own);
    }
  }

  /** Releases the graph's constants and frozen inputs after the runs under way; the program cannot run any more. */
  dispose(): Promise<void> {
    return this.#use.dispose();
  }

  #release(): void {
    release(this.#constants);
    for (const tensor of Object.values(this.#frozen)) this.#shared.release(tensor);
  }

  #begin(feeds: Feeds, given: NonNullable<ProgramRunOptions['into']>): RunState {
    this.#use.require('program');
    const bindings = bindFeeds(this.#fed.fed, feeds, this.#fed.bound);
    requireOutputs(this.graph, given, bindings);
    const into = Object.fromEntries(
      Object.entries(given).map(([name, value]) => {
        const own = requireOwn(`value for output ${JSON.stringify(name)}`, value);
        own.held(this.#engine);
        return [name, own] as const;
      }),
    );
    const lent: Held = new Map([...this.#constants, ...this.#lent]);
    const own: Held = new Map();
    try {
      for (const [name, declared] of Object.entries(this.graph.inputs)) {
        if (lent.has(declared)) continue;
        const fed = feeds[name]!;
        if (fed instanceof Tensor) own.set(declared, upload(this.#engine, fed));
        else lent.set(declared, requireOwn(`feed ${JSON.stringify(name)}`, fed).held(this.#engine));
      }
    } catch (error) {
      release(own);
      throw error;
    }
    return { bindings, into, lent, own };
  }

  #execute({ node, kernel, last }: Step, { bindings, lent, own }: RunState): void {
    const { tf, backend } = this.#engine;
    const outputs = node.outputs.map(({ dtype, shape }) => ({ dtype, shape: evaluateShape(shape, bindings) }));
    const inputs = node.inputs.map((tensor) => own.get(tensor) ?? lent.get(tensor)!);
    const results = attempt(node, () =>
      tf.tidy(() => {
        if (outputs.every(({ shape }) => elements(shape) === 0)) return outputs.map((type) => filled(tf, type));
        const made = kernel(inputs, {
          tf,
          wasm: backend === 'wasm',
          attributes: node.attributes,
          outputs,
          size: (size) => evaluateSize(size, bindings),
        });
        // A tensor has one owner: what a kernel hands through gets a handle of its own.
        return [made].flat().map((tensor) => tf.keep(inputs.includes(tensor) ? tf.clone(tensor) : tensor));
      }),
    );
    node.outputs.forEach((output, at) => own.set(output, results[at]!));
    for (const tensor of last) {
      own.get(tensor)?.dispose();
      own.delete(tensor);
    }
  }

  #finish({ into, lent, own }: RunState): Results {
    const { tf } = this.#engine;
    return withEngine(this.#engine, () => {
      // A clone shares the memory; the run's own handles are released when it ends.
      const made = Object.entries(this.#primitive.outputs).map(
        ([name, output]) => [name, output, tf.keep(tf.clone(own.get(output) ?? lent.get(output)!))] as const,
      );
      return Object.fromEntries(
        made.map(([name, { dtype, axes }, held]) => {
          into[name]?.replace(held);
          return [name, into[name] ?? new Value(this.#engine, dtype, axes, held)];
        }),
      );
    });
  }
}

interface RunState {
  readonly bindings: SizeBindings;
  /** Values that take outputs over, by the outputs' names. */
  readonly into: Readonly<Record<string, Value>>;
  /** Constants and fed values: not the run's to dispose of. */
  readonly lent: Held;
  readonly own: Held;
}

/** The nodes that compute something, each with the tensors whose last reader it is. */
function plan(graph: Graph): Step[] {
  const lastReader = new Map<Symbolic, Node>();
  for (const node of graph.nodes) {
    for (const tensor of node.outputs) lastReader.set(tensor, node);
    for (const tensor of node.inputs) lastReader.set(tensor, node);
  }
  for (const output of Object.values(graph.outputs)) lastReader.delete(output);
  const last = new Map<Node, Symbolic[]>();
  for (const [tensor, node] of lastReader) last.set(node, [...(last.get(node) ?? []), tensor]);
  return graph.nodes.flatMap((node) => {
    const { operator } = node;
    const computes = operator.kind === 'primitive' && inputName(node.outputs[0]!) === undefined && !constantOf(node);
    return computes ? [{ node, kernel: kernelOf(operator), last: last.get(node) ?? [] }] : [];
  });
}

function constantOf({ operator, attributes }: Node): Tensor | undefined {
  return operator.name === 'constant' ? (attributes as { readonly value: Tensor }).value : undefined;
}

/** Runs a kernel; errors of the engine say which operator they come from. */
function attempt<T>({ operator }: Node, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (UserLlmError.isInstance(error)) throw error;
    throw new UserLlmError('engine-failed', {
      what: operator.name,
      expected: 'a kernel that runs',
      got: error instanceof Error ? error.message : String(error),
      cause: error,
    });
  }
}

function release(held: Held): void {
  for (const tensor of held.values()) tensor.dispose();
  held.clear();
}

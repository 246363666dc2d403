import { setImmediate } from 'node:timers/promises';
import {
  bindFeeds,
  evaluateShape,
  evaluateSize,
  expand,
  inputName,
  type Feeds,
  type Graph,
  type Node,
  type Program as GraphProgram,
  type RunOptions,
  type SizeBindings,
  type Symbolic,
} from '@user-llm/graph';
import { elements, Tensor, UserLlmError } from '@user-llm/tensor';
import { requireSupported } from './dtypes.js';
import { withEngine, type Engine, type EngineTensor } from './engine/engine.js';
import { filled, type Kernel } from './kernels/kernel.js';
import { kernelOf } from './kernels/table.js';
import { upload, Value } from './value.js';

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
  readonly #frozen: Readonly<Record<string, Tensor>>;
  #disposed = false;

  /**
   * @param frozen Inputs that never change, by name; they are not fed.
   * @throws UserLlmError `unsupported-dtype` when the graph computes with numbers that TensorFlow.js does not have.
   */
  constructor(engine: Engine, graph: Graph, frozen: Readonly<Record<string, Tensor>> = {}) {
    this.graph = graph;
    this.#frozen = frozen;
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
      const declared = graph.inputs[name];
      if (declared) this.#constants.set(declared, upload(engine, tensor));
    }
  }

  /**
   * Runs the graph, letting the event loop turn between nodes.
   *
   * @throws UserLlmError `missing-feed`, `unknown-feed`, `dtype-mismatch`, `shape-mismatch`, `axis-mismatch`, `disposed`,
   *   `aborted`, `foreign-value`, `out-of-range` or `division-by-zero` for bad input, `engine-failed` when a kernel fails.
   */
  async run(feeds: Feeds, { signal }: RunOptions = {}): Promise<Results> {
    const state = this.#begin(feeds);
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
    }
  }

  /** `run` at once, with the event loop held up meanwhile. */
  runSync(feeds: Feeds): Results {
    const state = this.#begin(feeds);
    try {
      withEngine(this.#engine, () => this.#steps.forEach((step) => this.#execute(step, state)));
      return this.#finish(state);
    } finally {
      release(state.own);
    }
  }

  /** Releases the graph's constants; the program cannot run any more. */
  dispose(): void {
    release(this.#constants);
    this.#disposed = true;
  }

  #begin(feeds: Feeds): RunState {
    if (this.#disposed) {
      throw new UserLlmError('disposed', {
        what: 'program',
        expected: 'one that was not disposed of',
        mend: 'Compile the graph again.',
      });
    }
    const bindings = bindFeeds(this.graph, { ...feeds, ...this.#frozen });
    const lent: Held = new Map(this.#constants);
    const own: Held = new Map();
    try {
      for (const [name, declared] of Object.entries(this.graph.inputs)) {
        if (lent.has(declared)) continue;
        const fed = feeds[name]!;
        if (fed instanceof Value) lent.set(declared, fed.held(this.#engine));
        else if (fed instanceof Tensor) own.set(declared, upload(this.#engine, fed));
        else throw foreign(name);
      }
    } catch (error) {
      release(own);
      throw error;
    }
    return { bindings, lent, own };
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

  #finish({ lent, own }: RunState): Results {
    const { tf } = this.#engine;
    return withEngine(this.#engine, () =>
      Object.fromEntries(
        Object.entries(this.#primitive.outputs).map(([name, output]) => {
          const held = own.get(output) ?? lent.get(output)!;
          // A clone shares the memory; the run's own handles are released when it ends.
          return [name, new Value(this.#engine, output.dtype, output.axes, tf.keep(tf.clone(held)))];
        }),
      ),
    );
  }
}

interface RunState {
  readonly bindings: SizeBindings;
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

function foreign(name: string): UserLlmError {
  return new UserLlmError('foreign-value', {
    what: `feed ${JSON.stringify(name)}`,
    expected: 'a host tensor, or a value of this runtime',
    got: 'a value of another',
    mend: 'Read it and feed the host tensor.',
  });
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

import {
  bindFeeds,
  bindGiven,
  evaluateShape,
  feedShapes,
  graphFor,
  requireCarry,
  requireFiniteOutput,
  requireInitial,
  type Feeds,
  type Graph,
  type GraphSource,
  type RunOptions,
  type StatefulProgram,
  type Symbolic,
  type TrainStepOptions,
} from '@user-llm/graph';
import { allocate, elements, Tensor, type Axes, type BaseDType, type DType } from '@user-llm/tensor';
import { elementsOf } from './ort/engine-memory.js';
import type { Binding, EngineSession, HostTensor } from './ort/engine.js';
import { busy, disposed } from './ort/session-errors.js';
import { feedMemory, OnnxValue } from './value.js';

/** Makes a session for a graph, whose frozen inputs become initializers. */
export type CompileSession = (graph: Graph) => Promise<EngineSession>;

/** What is prepared for one combination of shapes. */
interface Bucket {
  /** The graph without the inputs that are carried or frozen. */
  readonly graph: Graph;
  /** Sizes that these bind. */
  readonly bound: ReadonlyMap<string, number>;
  readonly feeds: Readonly<Record<string, HostTensor>>;
  readonly outputs: Readonly<Record<string, HostTensor>>;
  /** One from the first set of state to the second, and one back. */
  readonly bindings: readonly [Binding, Binding];
}

/**
 * A graph that carries parameters and optimizer state. There are two sets of buffers for them: a step reads one and
 * writes the other, so nothing is copied and a run that fails leaves the state as it was.
 */
export class OnnxStatefulProgram implements StatefulProgram {
  readonly #source: GraphSource;
  readonly #options: TrainStepOptions;
  readonly #compile: CompileSession;
  readonly #sets: readonly [Readonly<Record<string, OnnxValue>>, Readonly<Record<string, OnnxValue>>];
  readonly #sessions = new Map<Graph, Promise<EngineSession>>();
  readonly #buckets = new Map<string, Promise<Bucket>>();
  #current: 0 | 1 = 0;
  #state: 'free' | 'running' | 'disposed' = 'free';

  /** @internal Use `OnnxRuntime.compileTrainStep`. */
  constructor(source: GraphSource, options: TrainStepOptions, compile: CompileSession) {
    this.#source = source;
    this.#options = options;
    this.#compile = compile;
    if (typeof source === 'function') requireInitial(options);
    else this.#bind(source);
    const first = Object.keys(options.carry).map((name) => {
      const { axes, dtype, shape, data } = options.initial[name]!.contiguous();
      const memory = { dtype: dtype as BaseDType, shape, data: data.slice() };
      return [name, new OnnxValue(axes, memory)] as const;
    });
    const second = first.map(([name, value]) => [name, new OnnxValue(value.axes, emptyLike(value))] as const);
    this.#sets = [Object.fromEntries(first), Object.fromEntries(second)];
  }

  /** The carried values as they are now; a step puts others in their place. */
  get state(): Readonly<Record<string, OnnxValue>> {
    return this.#sets[this.#current];
  }

  /** Compiles for these shapes now rather than at the first step. */
  async prepare(shapes: Readonly<Record<string, readonly number[]>>): Promise<void> {
    await this.#bucket(shapes);
  }

  async run(feeds: Feeds, { signal }: RunOptions = {}): Promise<Record<string, OnnxValue>> {
    if (this.#state !== 'free') throw this.#state === 'running' ? busy('training step') : disposed('training step');
    this.#state = 'running';
    try {
      const bucket = await this.#bucket(feedShapes(feeds));
      bindFeeds(bucket.graph, feeds, bucket.bound);
      const memory = Object.fromEntries(Object.entries(feeds).map(([name, feed]) => [name, feedMemory(name, feed)]));
      for (const [name, tensor] of Object.entries(memory))
        (bucket.feeds[name]!.data as Float32Array).set(elementsOf(tensor) as Float32Array);
      await bucket.bindings[this.#current].run(signal ? { signal } : {});
      for (const name of this.#options.requireFinite ?? []) {
        requireFiniteOutput(name, tensorOver(bucket.graph.outputs[name]!.axes, bucket.outputs[name]!));
      }
      this.#current = this.#current === 0 ? 1 : 0;
      return Object.fromEntries(
        Object.entries(bucket.outputs).map(([name, { dtype, shape, data }]) => [
          name,
          new OnnxValue(bucket.graph.outputs[name]!.axes, { dtype, shape, data: data.slice() }),
        ]),
      );
    } finally {
      if (this.#state === 'running') this.#state = 'free';
    }
  }

  async dispose(): Promise<void> {
    this.#state = 'disposed';
    for (const bucket of await Promise.allSettled(this.#buckets.values())) {
      if (bucket.status === 'fulfilled') bucket.value.bindings.forEach((binding) => binding.dispose());
    }
    for (const session of await Promise.allSettled(this.#sessions.values())) {
      if (session.status === 'fulfilled') await session.value.dispose();
    }
    this.#sets.forEach((set) => Object.values(set).forEach((value) => value.dispose()));
  }

  #bucket(shapes: Readonly<Record<string, readonly number[]>>): Promise<Bucket> {
    const key = JSON.stringify(Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1)));
    const known = this.#buckets.get(key);
    if (known) return known;
    const made = this.#makeBucket(shapes);
    this.#buckets.set(key, made);
    // What could not be compiled is not kept.
    made.catch(() => this.#buckets.delete(key));
    return made;
  }

  async #makeBucket(shapes: Readonly<Record<string, readonly number[]>>): Promise<Bucket> {
    const { carry } = this.#options;
    const graph = graphFor(this.#source, shapes);
    const { fed, bound } = this.#bind(graph);
    const declared = Object.entries(shapes).map(
      ([name, shape]) => [name, { dtype: fed.inputs[name]?.dtype ?? '', shape }] as const,
    );
    const sizes = bindFeeds(fed, Object.fromEntries(declared), bound);
    const memory = ([name, { dtype, shape }]: [string, Symbolic]): [string, HostTensor] => {
      const actual = evaluateShape(shape, sizes);
      return [name, { dtype: dtype as BaseDType, shape: actual, data: allocate(dtype, elements(actual)) }];
    };
    const feeds = Object.fromEntries(Object.entries(fed.inputs).map(memory));
    const carried = new Set(Object.values(carry));
    const outputs = Object.fromEntries(
      Object.entries(graph.outputs)
        .filter(([name]) => !carried.has(name))
        .map(memory),
    );
    const session = await this.#session(graph);
    const bind = (from: 0 | 1): Binding => {
      const old = Object.entries(this.#sets[from]).map(([name, value]) => [name, value.memory] as const);
      const target = this.#sets[from === 0 ? 1 : 0];
      const fresh = Object.entries(carry).map(([name, output]) => [output, target[name]!.memory] as const);
      return session.bind({ ...feeds, ...Object.fromEntries(old) }, { ...outputs, ...Object.fromEntries(fresh) });
    };
    return { graph: fed, bound, feeds, outputs, bindings: [bind(0), bind(1)] };
  }

  /** Checks what is carried and frozen against a graph. */
  #bind(graph: Graph): ReturnType<typeof bindGiven> {
    const { carry, initial, frozen } = this.#options;
    requireCarry(graph, this.#options);
    return bindGiven(graph, { ...pick(initial, Object.keys(carry)), ...frozen });
  }

  #session(graph: Graph): Promise<EngineSession> {
    const known = this.#sessions.get(graph);
    if (known) return known;
    const made = this.#compile(graph);
    this.#sessions.set(graph, made);
    made.catch(() => this.#sessions.delete(graph));
    return made;
  }
}

/** A host tensor on the memory itself. */
function tensorOver(axes: Axes, { dtype, shape, data }: HostTensor): Tensor {
  return new Tensor<DType, Axes>(dtype, axes, shape, data as never);
}

function emptyLike(value: OnnxValue): HostTensor {
  const { dtype, shape } = value.memory;
  return { dtype, shape, data: allocate(dtype, elements(shape)) };
}

function pick<T>(record: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.flatMap((name) => (name in record ? [[name, record[name]!]] : [])));
}

import {
  bindFeeds,
  bindGiven,
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
  type TrainStepOptions,
} from '@user-llm/graph';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import { requireSupported } from './dtypes.js';
import type { Engine } from './engine/engine.js';
import { Program, type Results } from './program.js';
import { Use } from './use.js';
import { upload, Value } from './value.js';

/** A graph made ready. */
interface Compiled extends ReturnType<typeof bindGiven> {
  readonly program: Program;
}

/**
 * A graph that carries values from run to run: parameters, the optimizer's state, a counter of steps.
 *
 * Each run reads the carried inputs where they lie, and puts the outputs named for them in their place. A run that
 * fails leaves everything as it was.
 */
export class TrainStep implements StatefulProgram {
  /** The carried values, by the names of the inputs; read or write them between steps. */
  readonly state: Readonly<Record<string, Value>>;
  readonly #engine: Engine;
  readonly #source: GraphSource;
  readonly #options: TrainStepOptions;
  readonly #state: Record<string, Value>;
  readonly #frozen: Readonly<Record<string, Value>>;
  readonly #programs = new Map<string, Compiled>();
  readonly #use = new Use(() => this.#release());
  #running = false;

  /**
   * @throws UserLlmError `bad-graph` when there is no such input or output, or they differ in type; `missing-feed`
   *   when a carried input has no initial tensor; `unsupported-dtype`; for `frozen` as `run` for feeds.
   */
  constructor(engine: Engine, source: GraphSource, options: TrainStepOptions) {
    const { carry, initial, frozen = {} } = options;
    this.#options = options;
    this.#engine = engine;
    this.#source = source;
    if (typeof source === 'function') requireInitial(options);
    else this.#compile('', source);
    const carried = pick(initial, Object.keys(carry));
    for (const [name, tensor] of Object.entries({ ...carried, ...frozen })) {
      requireSupported(`given input ${JSON.stringify(name)}`, tensor);
    }
    const held = ([name, tensor]: [string, Tensor]): [string, Value] => [
      name,
      new Value(engine, tensor.dtype, tensor.axes, upload(engine, tensor)),
    ];
    this.#state = Object.fromEntries(Object.entries(carried).map(held));
    this.#frozen = Object.fromEntries(Object.entries(frozen).map(held));
    this.state = this.#state;
  }

  /**
   * One step.
   *
   * @param feeds The inputs that are not carried or frozen: the batch, the learning rate.
   * @returns The outputs that are not carried: the loss, metrics. Whoever gets them disposes of them.
   * @throws UserLlmError as `Program.run`, `busy` when the step before has not ended, and `not-finite`.
   */
  async run(feeds: Feeds, options: RunOptions = {}): Promise<Results> {
    this.#use.require('training step');
    if (this.#running) {
      throw new UserLlmError('busy', {
        what: 'training step',
        expected: 'one step at a time, since each starts from the parameters of the one before',
        got: 'a second one',
        mend: 'Await the step before.',
      });
    }
    this.#running = true;
    this.#use.begin();
    try {
      const { program, fed, bound } = this.#program(feeds);
      bindFeeds(fed, feeds, bound);
      const results = await program.run({ ...feeds, ...this.#state, ...this.#frozen }, options);
      const { carry, requireFinite = [] } = this.#options;
      try {
        for (const name of requireFinite) requireFiniteOutput(name, results[name]!.readSync());
      } catch (error) {
        Object.values(results).forEach((value) => value.dispose());
        throw error;
      }
      for (const [name, output] of Object.entries(carry)) {
        this.#state[name]!.dispose();
        this.#state[name] = results[output]!;
      }
      const carried = new Set(Object.values(carry));
      return Object.fromEntries(Object.entries(results).filter(([name]) => !carried.has(name)));
    } finally {
      this.#running = false;
      this.#use.end();
    }
  }

  /** Releases the carried values and the graphs' constants after the step under way; doing so twice is harmless. */
  dispose(): Promise<void> {
    return this.#use.dispose();
  }

  #release(): void {
    for (const held of [this.#state, this.#frozen]) Object.values(held).forEach((value) => value.dispose());
    this.#programs.forEach(({ program }) => void program.dispose());
  }

  /** The program for the shapes of these feeds, compiled when they first come. */
  #program(feeds: Feeds): Compiled {
    const shapes = feedShapes(feeds);
    if (typeof this.#source !== 'function') return this.#programs.get('')!;
    const key = JSON.stringify(Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1)));
    return this.#programs.get(key) ?? this.#compile(key, graphFor(this.#source, shapes));
  }

  #compile(key: string, graph: Graph): Compiled {
    const { carry, initial, frozen } = this.#options;
    requireCarry(graph, this.#options);
    const given = { ...pick(initial, Object.keys(carry)), ...frozen };
    const compiled = { ...bindGiven(graph, given), program: new Program(this.#engine, graph) };
    this.#programs.set(key, compiled);
    return compiled;
  }
}

function pick<T>(record: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, record[name]!]));
}

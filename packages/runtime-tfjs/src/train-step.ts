import {
  requireCarry,
  requireFiniteOutput,
  requireInitial,
  type Feeds,
  type GraphSource,
  type RunOptions,
  type StatefulProgram,
  type TrainStepOptions,
} from '@user-llm/graph';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import type { Engine } from './engine/engine.js';
import { Program, type Results } from './program.js';
import { upload, Value } from './value.js';

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
  readonly #programs = new Map<string, Program>();
  #running = false;

  /**
   * @throws UserLlmError `bad-graph` when there is no such input or output, or they differ in type; `missing-feed`
   *   when a carried input has no initial tensor.
   */
  constructor(engine: Engine, source: GraphSource, options: TrainStepOptions) {
    const { carry, initial, frozen = {} } = options;
    if (typeof source === 'function') requireInitial(options);
    else requireCarry(source, options);
    this.#options = options;
    this.#engine = engine;
    this.#source = source;
    const held = (tensor: Tensor): Value => new Value(engine, tensor.dtype, tensor.axes, upload(engine, tensor));
    this.#state = Object.fromEntries(Object.keys(carry).map((name) => [name, held(initial[name]!)]));
    this.#frozen = Object.fromEntries(Object.entries(frozen).map(([name, tensor]) => [name, held(tensor)]));
    this.state = this.#state;
    if (typeof source !== 'function') this.#programs.set('', new Program(engine, source));
  }

  /**
   * One step.
   *
   * @param feeds The inputs that are not carried or frozen: the batch, the learning rate.
   * @returns The outputs that are not carried: the loss, metrics. Whoever gets them disposes of them.
   * @throws UserLlmError as `Program.run`, `busy` when the step before has not ended, and `not-finite`.
   */
  async run(feeds: Feeds, options: RunOptions = {}): Promise<Results> {
    if (this.#running) {
      throw new UserLlmError('busy', {
        what: 'training step',
        expected: 'one step at a time, since each starts from the parameters of the one before',
        got: 'a second one',
        mend: 'Await the step before.',
      });
    }
    this.#running = true;
    try {
      const results = await this.#program(feeds).run({ ...feeds, ...this.#state, ...this.#frozen }, options);
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
    }
  }

  /** Releases the carried values and the graphs' constants. */
  dispose(): void {
    for (const held of [this.#state, this.#frozen]) Object.values(held).forEach((value) => value.dispose());
    this.#programs.forEach((program) => program.dispose());
  }

  /** The program for the shapes of these feeds, compiled when they first come. */
  #program(feeds: Feeds): Program {
    if (typeof this.#source !== 'function') return this.#programs.get('')!;
    const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
    const key = JSON.stringify(Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1)));
    const known = this.#programs.get(key);
    if (known) return known;
    const graph = this.#source(shapes);
    requireCarry(graph, this.#options);
    const program = new Program(this.#engine, graph);
    this.#programs.set(key, program);
    return program;
  }
}

import type { Feeds, Graph, GraphSource, RunOptions, StatefulProgram, TrainStepOptions } from '@user-llm/graph';
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
  readonly #carry: Readonly<Record<string, string>>;
  readonly #state: Record<string, Value>;
  readonly #frozen: Readonly<Record<string, Value>>;
  readonly #programs = new Map<string, Program>();
  #running = false;

  /**
   * @throws UserLlmError `bad-graph` when there is no such input or output, or they differ in type; `missing-feed`
   *   when a carried input has no initial tensor.
   */
  constructor(engine: Engine, source: GraphSource, { carry, initial, frozen = {} }: TrainStepOptions) {
    if (typeof source !== 'function') checkCarry(source, carry);
    const missing = Object.keys(carry).find((name) => !Object.hasOwn(initial, name));
    if (missing !== undefined) {
      throw new UserLlmError('missing-feed', {
        what: `initial value of ${JSON.stringify(missing)}`,
        expected: 'a tensor for each carried input',
        got: 'nothing',
      });
    }
    this.#engine = engine;
    this.#source = source;
    this.#carry = carry;
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
   * @throws UserLlmError as `Program.run`, and `busy` when the step before has not ended.
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
      for (const [name, output] of Object.entries(this.#carry)) {
        this.#state[name]!.dispose();
        this.#state[name] = results[output]!;
      }
      const carried = new Set(Object.values(this.#carry));
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
    checkCarry(graph, this.#carry);
    const program = new Program(this.#engine, graph);
    this.#programs.set(key, program);
    return program;
  }
}

function checkCarry({ inputs, outputs }: Graph, carry: Readonly<Record<string, string>>): void {
  const taken = new Set<string>();
  for (const [name, output] of Object.entries(carry)) {
    const from = outputs[output];
    const to = inputs[name];
    const fits = from && to && from.dtype === to.dtype && `${from.axes} ${from.shape}` === `${to.axes} ${to.shape}`;
    if (!fits || taken.has(output)) {
      throw new UserLlmError('bad-graph', {
        what: `carrying ${JSON.stringify(output)} over to ${JSON.stringify(name)}`,
        expected: 'an input and an output of one type, each once',
        got: !to
          ? 'no such input'
          : !from
            ? 'no such output'
            : taken.has(output)
              ? 'an output twice'
              : 'different types',
      });
    }
    taken.add(output);
  }
}

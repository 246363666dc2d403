import type { Graph } from '@user-llm/graph';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import type { Engine } from './engine/engine.js';
import { Program, type Feeds, type Results } from './program.js';
import { upload, Value } from './value.js';

/**
 * A graph that carries values from run to run: parameters, the optimizer's state, a counter of steps.
 *
 * Each run reads the carried inputs where they lie, and puts the outputs named for them in their place. A run that
 * fails leaves everything as it was.
 */
export class TrainStep {
  /** The carried values, by the names of the inputs; read or write them between steps. */
  readonly state: Readonly<Record<string, Value>>;
  readonly #program: Program;
  readonly #carry: Readonly<Record<string, string>>;
  readonly #state: Record<string, Value>;
  #running = false;

  /**
   * @param carry For each carried input the output that takes its place.
   * @param initial A tensor for each carried input.
   * @throws UserLlmError `bad-graph` when there is no such input or output, or they differ in type; `missing-feed`
   *   when a carried input has no initial tensor.
   */
  constructor(
    engine: Engine,
    graph: Graph,
    carry: Readonly<Record<string, string>>,
    initial: Readonly<Record<string, Tensor>>,
  ) {
    checkCarry(graph, carry);
    const missing = Object.keys(carry).find((name) => !Object.hasOwn(initial, name));
    if (missing !== undefined) {
      throw new UserLlmError('missing-feed', {
        what: `initial value of ${JSON.stringify(missing)}`,
        expected: 'a tensor for each carried input',
        got: 'nothing',
      });
    }
    this.#program = new Program(engine, graph);
    this.#carry = carry;
    this.#state = Object.fromEntries(
      Object.keys(carry).map((name) => {
        const tensor = initial[name]!;
        return [name, new Value(engine, tensor.dtype, tensor.axes, upload(engine, tensor))];
      }),
    );
    this.state = this.#state;
  }

  /**
   * One step.
   *
   * @param feeds The inputs that are not carried: the batch, the learning rate.
   * @returns The outputs that are not carried: the loss, metrics. Whoever gets them disposes of them.
   * @throws UserLlmError as `Program.run`, and `busy` when the step before has not ended.
   */
  async run(feeds: Feeds): Promise<Results> {
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
      const results = await this.#program.run({ ...feeds, ...this.#state });
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

  /** Releases the carried values and the graph's constants. */
  dispose(): void {
    Object.values(this.#state).forEach((value) => value.dispose());
    this.#program.dispose();
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

import {
  add,
  graph,
  input,
  multiply,
  type Float,
  type Graph,
  type Program,
  type Runtime,
  type Value,
} from '@user-llm/graph';
import { Tensor, UserLlmError, elements } from '@user-llm/tensor';
import { seededFeeds, type StepGraphs } from './step-graphs.js';
import { numbers, type StepFigures, type Weights } from './step-figures.js';
import type { TrainingBatch } from './training-task.js';

/** The mean gradient of several batches, by the names that `update` graphs want, and their mean figures. */
export interface MeanGradients extends Pick<StepFigures, 'loss' | 'metrics'> {
  /** Whoever asked for them disposes of them. */
  readonly gradients: Readonly<Record<string, Value>>;
}

const sumName = (name: string): string => `sum/${name}`;
const gradientName = (name: string): string => `gradient/${name}`;

/** Forward and backward, with the gradient over `count` added to what is fed as its sum. */
function addingUp(gradients: Graph, trained: readonly string[], count: number): Graph {
  const inputs = Object.values(gradients.inputs);
  const outputs = { ...gradients.outputs };
  for (const name of trained) {
    const slope = gradients.outputs[gradientName(name)] as Float;
    const sum = input(sumName(gradientName(name)), 'float32', slope.axes, slope.shape as never) as unknown as Float;
    inputs.push(sum);
    outputs[gradientName(name)] = add(sum, multiply(slope, 1 / count));
  }
  return graph(inputs, outputs);
}

/** Adds up gradients of batches without taking them to the host. */
export class GradientSums {
  readonly #runtime: Runtime;
  readonly #graphs: StepGraphs;
  readonly #frozen: Weights;
  readonly #count: number;
  readonly #programs = new Map<string, Promise<Program>>();

  constructor(runtime: Runtime, graphs: StepGraphs, frozen: Weights, count: number) {
    this.#runtime = runtime;
    this.#graphs = graphs;
    this.#frozen = frozen;
    this.#count = count;
  }

  /**
   * @param state The carried values, the trained parameters among them.
   * @param seed A number for the first batch; the next ones count on from it.
   * @throws UserLlmError `not-finite` when the loss of a batch is not.
   */
  async of(
    batches: readonly TrainingBatch[],
    state: Readonly<Record<string, Value>>,
    seed: number,
  ): Promise<MeanGradients> {
    const { trained } = this.#graphs;
    const parameters = Object.fromEntries(trained.map((name) => [name, state[name]!]));
    let sums: Readonly<Record<string, Tensor | Value>> = Object.fromEntries(
      trained.map((name) => [gradientName(name), zeros(state[name]!)]),
    );
    const mean: Record<string, number> = {};
    for (const [at, batch] of batches.entries()) {
      const program = await this.#program(batch);
      const fed = Object.entries(sums).map(([name, sum]) => [sumName(name), sum] as const);
      const results = await program.run({
        ...seededFeeds(this.#graphs, batch, seed + at),
        ...parameters,
        ...this.#frozen,
        ...Object.fromEntries(fed),
      });
      release(sums);
      sums = Object.fromEntries(trained.map((name) => [gradientName(name), results[gradientName(name)]!]));
      const rest = Object.entries(results).filter(([name]) => !(name in sums));
      for (const [name, value] of Object.entries(await numbers(Object.fromEntries(rest)))) {
        mean[name] = (mean[name] ?? 0) + value / this.#count;
      }
      if (!Number.isFinite(mean['loss'])) {
        release(sums);
        throw new UserLlmError('not-finite', { what: 'loss', expected: 'a finite number', got: String(mean['loss']) });
      }
    }
    const { loss, ...metrics } = mean;
    return { loss: loss!, metrics, gradients: sums as Readonly<Record<string, Value>> };
  }

  async dispose(): Promise<void> {
    for (const program of await Promise.allSettled(this.#programs.values())) {
      if (program.status === 'fulfilled') await program.value.dispose();
    }
  }

  #program({ feeds }: TrainingBatch): Promise<Program> {
    const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
    const key = JSON.stringify(shapes);
    const known = this.#programs.get(key);
    if (known) return known;
    const made = this.#runtime.compile(addingUp(this.#graphs.at(shapes).gradients, this.#graphs.trained, this.#count));
    this.#programs.set(key, made);
    return made;
  }
}

function zeros({ axes, shape }: Value): Tensor {
  return new Tensor('float32', axes, shape, new Float32Array(elements(shape)));
}

function release(sums: Readonly<Record<string, Tensor | Value>>): void {
  for (const sum of Object.values(sums)) if (!(sum instanceof Tensor)) sum.dispose();
}

import {
  graph,
  inputName,
  orderedNodes,
  parameterInputs,
  type Feeds,
  type ParameterTree,
  type Program,
  type Runtime,
  type Symbolic,
} from '@user-llm/graph';
import type { Tensor } from '@user-llm/tensor';
import type { Shapes } from './step-graphs.js';
import type { LossGraph } from './training-task.js';

/** Computes a loss without training, compiled once for each combination of shapes. */
export class LossEvaluator {
  readonly #runtime: Runtime;
  readonly #parameters: ParameterTree;
  readonly #loss: (tree: never, shapes: Shapes) => LossGraph;
  readonly #programs = new Map<string, Promise<{ readonly program: Program; readonly read: readonly string[] }>>();

  /** @param loss As `TrainingTask.loss`, with nothing dropped and no input `seed`. */
  constructor(runtime: Runtime, parameters: ParameterTree, loss: (tree: never, shapes: Shapes) => LossGraph) {
    this.#runtime = runtime;
    this.#parameters = parameters;
    this.#loss = loss;
  }

  /** The loss of a batch. */
  async of(feeds: Readonly<Record<string, Tensor>>, weights: Feeds): Promise<number> {
    const shapes = Object.fromEntries(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
    const key = JSON.stringify(shapes);
    const made = this.#programs.get(key) ?? this.#compile(shapes);
    this.#programs.set(key, made);
    const { program, read } = await made;
    const parameters = Object.fromEntries(read.map((name) => [name, weights[name]!]));
    const { loss } = await program.run({ ...parameters, ...feeds });
    const value = Number((await loss!.read()).data[0]);
    loss!.dispose();
    return value;
  }

  async dispose(): Promise<void> {
    for (const made of await Promise.allSettled(this.#programs.values())) {
      if (made.status === 'fulfilled') await made.value.program.dispose();
    }
  }

  async #compile(shapes: Shapes): Promise<{ readonly program: Program; readonly read: readonly string[] }> {
    const { tree, named } = parameterInputs(this.#parameters);
    const { inputs, loss } = this.#loss(tree as never, shapes);
    const used = new Set(orderedNodes([loss]).map((node) => inputName({ node } as Symbolic)));
    const read = Object.entries(named).filter(([name]) => used.has(name));
    const program = await this.#runtime.compile(graph([...inputs, ...read.map(([, tensor]) => tensor)], { loss }));
    return { program, read: read.map(([name]) => name) };
  }
}

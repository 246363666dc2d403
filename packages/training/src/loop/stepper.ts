import type { Graph, Runtime, TrainStepGraphs, Value } from '@user-llm/graph';
import { scalar, Tensor, UserLlmError } from '@user-llm/tensor';
import { GradientSums } from './gradient-sums.js';
import { numbers, type StepFigures, type Weights } from './step-figures.js';
import { learningRateName, seededFeeds, type Shapes, type StepGraphs } from './step-graphs.js';
import type { TrainingBatch } from './training-task.js';

/** Takes training steps, and holds what they move. */
export interface Stepper {
  /** Parameters and optimizer state as they are now, by name: asked for anew after each step. */
  state(): Readonly<Record<string, Value>>;
  /**
   * One step on the mean gradient of the batches.
   *
   * @param seed A number for the first batch; the next ones count on from it.
   * @throws UserLlmError `not-finite` when the loss or the gradients are not; the state is then as it was.
   */
  step(batches: readonly TrainingBatch[], seed: number, learningRate: number): Promise<StepFigures>;
  dispose(): Promise<void>;
}

/** What a stepper starts from. */
export interface StepperStart {
  readonly runtime: Runtime;
  readonly graphs: StepGraphs;
  /** All parameters that the loss reads, by name. */
  readonly weights: Weights;
  /** Parameters and optimizer state of a checkpoint, by name; the beginning when absent. */
  readonly state?: Weights | undefined;
  /** Batches per step. */
  readonly accumulate: number;
  /** Shapes of any batch. */
  readonly shapes: Shapes;
}

/** Makes the steps of a task ready: each in one piece, or forward and backward of several batches and then the update. */
export async function createStepper(start: StepperStart): Promise<Stepper> {
  const { graphs, weights, accumulate, shapes } = start;
  const sample = graphs.at(shapes);
  const initial = start.state ? heldState(start.state, sample) : await firstState(start, sample.init);
  const frozen = Object.fromEntries(graphs.frozen.map((name) => [name, weights[name]!]));
  const compiled = { ...start, carry: sample.carry, initial, frozen };
  return accumulate === 1 ? fusedStepper(compiled) : splitStepper(compiled, sample.update);
}

interface Compiled extends StepperStart {
  readonly carry: Readonly<Record<string, string>>;
  readonly initial: Weights;
  readonly frozen: Weights;
}

const rateFeed = (learningRate: number) => ({ [learningRateName]: scalar('float32', learningRate) });

async function fusedStepper({ runtime, graphs, carry, initial, frozen }: Compiled): Promise<Stepper> {
  const requireFinite = ['loss', 'gradientNorm'];
  const options = { carry, initial, frozen, requireFinite };
  const program = await runtime.compileTrainStep((shapes) => graphs.at(shapes).fused, options);
  return {
    state: () => program.state,
    step: async ([batch], seed, learningRate) => {
      const results = await program.run({ ...seededFeeds(graphs, batch!, seed), ...rateFeed(learningRate) });
      const { loss, gradientNorm, ...metrics } = await numbers(results);
      return { loss: loss!, gradientNorm: gradientNorm!, metrics };
    },
    dispose: async () => program.dispose(),
  };
}

async function splitStepper(compiled: Compiled, update: Graph): Promise<Stepper> {
  const { runtime, graphs, carry, initial, frozen, accumulate } = compiled;
  const program = await runtime.compileTrainStep(update, { carry, initial, requireFinite: ['gradientNorm'] });
  const sums = new GradientSums(runtime, graphs, frozen, accumulate);
  return {
    state: () => program.state,
    step: async (batches, seed, learningRate) => {
      const { gradients, loss, metrics } = await sums.of(batches, program.state, seed);
      try {
        const results = await program.run({ ...gradients, ...rateFeed(learningRate) });
        return { loss, metrics, gradientNorm: (await numbers(results))['gradientNorm']! };
      } finally {
        Object.values(gradients).forEach((value) => value.dispose());
      }
    },
    dispose: async () => {
      await sums.dispose();
      await program.dispose();
    },
  };
}

/** The trained parameters, and what the optimizer makes of them to start with. */
async function firstState({ runtime, graphs, weights }: StepperStart, init: Graph): Promise<Weights> {
  const moved = Object.fromEntries(graphs.trained.map((name) => [name, weights[name]!]));
  const program = await runtime.compile(init);
  const results = await program.run(moved);
  const read = Object.entries(results).map(async ([name, value]) => [name, await value.read()] as const);
  const state = Object.fromEntries(await Promise.all(read));
  Object.values(results).forEach((value) => value.dispose());
  await program.dispose();
  return { ...moved, ...state };
}

/** The state of a checkpoint with the axes that the graphs know: files keep none. */
function heldState(state: Weights, { carry, update }: TrainStepGraphs): Weights {
  const held = Object.keys(carry).map((name): [string, Tensor] => {
    const { dtype, axes, shape } = update.inputs[name]!;
    const saved = state[name];
    if (saved && saved.dtype === dtype && saved.shape.join() === shape.join()) {
      return [name, new Tensor(dtype, axes, saved.shape, saved.data)];
    }
    throw new UserLlmError('bad-checkpoint', {
      what: `checkpoint: ${name}`,
      expected: `${dtype} [${shape.join(', ')}]`,
      got: saved ? `${saved.dtype} [${saved.shape.join(', ')}]` : 'nothing',
      mend: 'Go on with the model and optimizer that it was made with.',
    });
  });
  return Object.fromEntries(held);
}

import {
  flattenParameters,
  input,
  inputName,
  orderedNodes,
  parameterInputs,
  trainStepGraphs,
  type Feeds,
  type ParameterSpec,
  type Symbolic,
  type TrainStepGraphs,
} from '@user-llm/graph';
import type { Registry } from '@user-llm/plugin';
import { scalar, UserLlmError } from '@user-llm/tensor';
import { buildOptimizer } from '../optimizer/build-optimizer.js';
import type { OptimizerConfig } from '../optimizer/optimizer-config.js';
import type { TrainingBatch, TrainingTask } from './training-task.js';

/** Sizes of what is fed, by name. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

/** The name of the input that the learning rate of a step is fed to. */
export const learningRateName = 'learningRate';

/** The steps of one task, for any shapes. */
export interface StepGraphs {
  /** Parameters that steps move, in the order of the tree. */
  readonly trained: readonly string[];
  /** Parameters that the loss reads and steps leave alone. */
  readonly frozen: readonly string[];
  /** Whether the task wants a number that changes with every step. */
  readonly seeded: boolean;
  at(shapes: Shapes): TrainStepGraphs;
}

/**
 * The graphs of a task's training steps.
 *
 * @param trains Whether a strategy trains a parameter. One that the loss does not read is not trained either, so that
 *   weight decay does not wear away what a later stage needs.
 * @param first Shapes of any batch.
 * @throws UserLlmError `nothing-to-train` when no parameter is left, and what the task and the optimizer throw.
 */
export function stepGraphs(
  task: TrainingTask,
  trains: (name: string) => boolean,
  optimizer: OptimizerConfig,
  first: Shapes,
  registry?: Registry,
): StepGraphs {
  const specs = flattenParameters(task.parameters);
  const rate = input(learningRateName, 'float32', [], []);
  const lossAt = (shapes: Shapes) => {
    const { tree, named } = parameterInputs(task.parameters);
    const { inputs, loss, metrics = {} } = task.loss(tree as never, shapes);
    const read = inputsRead([loss, ...Object.values(metrics)]);
    return {
      inputs,
      loss,
      metrics,
      named: Object.fromEntries(Object.entries(named).filter(([name]) => read.has(name))),
    };
  };
  const sample = lossAt(first);
  const used = Object.keys(sample.named);
  const trained = used.filter(trains);
  if (trained.length === 0) {
    throw new UserLlmError('nothing-to-train', {
      what: `task ${task.name}`,
      expected: 'a strategy that trains some of the parameters that the loss reads',
      got: `none of ${used.length}`,
      mend: 'Choose another strategy.',
    });
  }
  const moved = new Map(trained.map((name): [string, ParameterSpec] => [name, specs.get(name)!]));
  const step = buildOptimizer(optimizer, rate, moved, registry);
  return {
    trained,
    frozen: used.filter((name) => !moved.has(name)),
    seeded: sample.inputs.some((tensor) => inputName(tensor) === 'seed'),
    at: (shapes) => {
      const { inputs, loss, metrics, named } = lossAt(shapes);
      return trainStepGraphs({
        inputs: [...inputs, ...Object.values(named)],
        loss,
        metrics,
        parameters: Object.fromEntries(trained.map((name) => [name, named[name]!])),
        optimizer: step,
        controls: [rate],
      });
    },
  };
}

/** Names of the inputs that tensors depend on. */
function inputsRead(tensors: readonly Symbolic[]): Set<string> {
  const names = orderedNodes(tensors).map((node) => inputName({ node } as Symbolic));
  return new Set(names.filter((name) => name !== undefined));
}

/** A batch's feeds, with the seed if the task wants one. */
export function seededFeeds({ seeded }: StepGraphs, { feeds }: TrainingBatch, seed: number): Feeds {
  return seeded ? { ...feeds, seed: scalar('int32', seed | 0) } : feeds;
}

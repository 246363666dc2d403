import type { Runtime } from '@user-llm/graph';
import type { Registry } from '@user-llm/plugin';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.js';
import type { Place } from '../checkpoint/place.js';
import type { OptimizerConfig } from '../optimizer/optimizer-config.js';
import type { Budget } from './budget.js';
import type { TrainingProgress } from './progress.js';
import type { Weights } from './step-figures.js';
import type { StepGraphs } from './step-graphs.js';
import type { TrainingTask } from './training-task.js';
import type { Validation } from './validation.js';

/** What is trained, how, for how long, and who is told. */
export interface TrainOptions {
  readonly task: TrainingTask;
  /** First values of all of the task's parameters, by name. */
  readonly weights: Weights;
  /** Whether a parameter is trained, by name; the others do not change by one bit. */
  readonly trains: (name: string) => boolean;
  readonly optimizer: OptimizerConfig;
  readonly budget: Budget;
  /** Needs a task that can validate; without it the last parameters are the result. */
  readonly validation?: Validation | undefined;
  readonly seed: number;
  readonly runtime: Runtime;
  readonly registry?: Registry | undefined;
  /** Where to save, and to go on from. */
  readonly checkpoints: CheckpointStore;
  /** Minutes between checkpoints; one is saved at each validation too. 5 when absent. */
  readonly checkpointMinutes?: number | undefined;
  /** Where the batch that breaks the training is written. */
  readonly folder: string;
  /** Asks the loop to end after the step under way, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  /** Told the figures of steps, by name. */
  readonly log?: ((step: number, figures: Readonly<Record<string, number>>) => void) | undefined;
  /** Told once what is trained and what is not, before the first step. */
  readonly onGraphs?: ((graphs: Pick<StepGraphs, 'trained' | 'frozen'>) => void) | undefined;
}

/** What a training came to. */
export interface TrainResult {
  /** `budget` used up, no better for too long (`patience`), or `stopped` by the signal. */
  readonly ended: 'budget' | 'patience' | 'stopped';
  readonly place: Place;
  /** The trained parameters: the best ones where there is a validation, else the last; none when stopped. */
  readonly parameters: Weights;
}

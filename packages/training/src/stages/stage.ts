import type { Registry, TextTokenizer } from '@user-llm/plugin';
import type { Runtime } from '@user-llm/graph';
import type { TokenizedData } from '../data/training-data.js';
import type { Weights } from '../loop/step-figures.js';
import type { TrainingTask } from '../loop/training-task.js';
import type { RunModel } from '../run/model.js';

/** What every stage is made of. */
export interface StageInputs {
  readonly model: RunModel;
  readonly data: TokenizedData;
  /** Absent when the run has no LLM. */
  readonly text?: TextTokenizer | undefined;
  /** Name of the feature that is predicted and ranked. */
  readonly item: string;
  readonly registry: Registry;
  readonly runtime: Runtime;
  readonly seed: number;
}

/** A stage that is ready to train. */
export interface Stage {
  readonly task: TrainingTask;
  trains(name: string): boolean;
  /** Figures of the test part, taken once at the end. */
  test?(weights: Weights, signal?: AbortSignal): Promise<Readonly<Record<string, number>>>;
  dispose(): Promise<void>;
}

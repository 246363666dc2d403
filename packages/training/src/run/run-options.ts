import type { PrepareProgress } from '@user-llm/datasets';
import type { Runtime } from '@user-llm/graph';
import type { Tracker } from '@user-llm/plugin';
import type { TrainingData } from '../data/training-data.js';
import type { TrainingProgress } from '../loop/progress.js';
import type { TrainedCounts } from '../stages/strategy.js';
import type { StageResult } from './run-folder.js';

/** Where a run works, and who is told. */
export interface RunOptions {
  /** Folder of the run; a run of the same config that stands there is gone on with. */
  readonly folder: string;
  /** Data in memory, instead of a data set on the disk. */
  readonly data?: TrainingData;
  /**
   * Asks the run to end after the step under way, with a checkpoint. While a data set is made of raw files the run is
   * rejected instead, and leaves nothing behind.
   */
  readonly signal?: AbortSignal;
  /** Runs the steps; ONNX Runtime on the CPU when absent. */
  readonly runtime?: Runtime;
  /** Trackers beside those of the config. */
  readonly trackers?: readonly Tracker[];
  /** Told how far the data set is that is made of raw files. */
  onPrepare?(progress: PrepareProgress): void;
  onProgress?(progress: RunProgress): void;
  /** Told once for each stage what is trained. */
  onStage?(stage: StageStart): void;
}

/** What a stage is about to train. */
export interface StageStart {
  readonly name: string;
  readonly counts: readonly TrainedCounts[];
  /** Patterns of `optimizer.factors` that fit no parameter of the model, trained or not. */
  readonly idleFactors: readonly string[];
}

/** How far a run is. */
export interface RunProgress extends TrainingProgress {
  /** Which of the stages, from 1. */
  readonly stageNumber: number;
  readonly stages: number;
}

/** What a run came to. */
export interface RunResult {
  /** `stopped` when the signal asked for it: the same call goes on. */
  readonly status: 'done' | 'stopped';
  /** What the stages that are done have left behind. */
  readonly stages: readonly StageResult[];
  readonly folder: string;
}

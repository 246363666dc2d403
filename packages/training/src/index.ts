export { CheckpointStore, type Checkpoint, type SavedValues } from './checkpoint/checkpoint-store.js';
export type { Place } from './checkpoint/place.js';
export type { Budget } from './loop/budget.js';
export type { TrainingProgress } from './loop/progress.js';
export type { Weights } from './loop/step-figures.js';
export { train } from './loop/train.js';
export type { TrainOptions, TrainResult } from './loop/train-options.js';
export type { LossGraph, TrainingBatch, TrainingTask } from './loop/training-task.js';
export type { Validation } from './loop/validation.js';
export { isDecayed, optimizerNames } from './optimizer/build-optimizer.js';
export { learningRateShare } from './optimizer/learning-rate.js';
export { optimizerConfig, type OptimizerConfig, type ScheduleConfig } from './optimizer/optimizer-config.js';
export { dataInMemory, readDataset, type TrainingData } from './data/training-data.js';
export { Histories } from './data/histories.js';
export { startedConfig } from './run/claim-folder.js';
export {
  defineRun,
  parseRunConfig,
  runConfig,
  runJsonSchema,
  type Run,
  type RunConfig,
  type RunConfigInput,
} from './run/run-config.js';
export { RunFolder, type StageResult } from './run/run-folder.js';
export type { RunOptions, RunProgress, RunResult, StageStart } from './run/run-options.js';
export { runTraining } from './run/run-training.js';
export {
  countTrained,
  formatTrained,
  strategyNames,
  trainedBy,
  type Strategy,
  type TrainedCounts,
} from './stages/strategy.js';
export { crc32c } from './trackers/crc32c.js';
export { jsonLinesTracker } from './trackers/json-lines.js';
export { tensorBoardTracker } from './trackers/tensorboard.js';

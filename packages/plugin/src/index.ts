export type {
  BooleanColumn,
  Column,
  DatasetInput,
  DatasetSource,
  EventColumns,
  ItemColumns,
  JsonLinesFormat,
  NumberColumn,
  ParquetFormat,
  RawColumn,
  RawDataset,
  RawFormat,
  RawTable,
  SeparatedFormat,
  TextColumn,
  TextsColumn,
  TimeColumn,
} from './dataset-source.js';
export type { Event, EventSchema, FeatureOrigin, FeatureSpec, FieldValue, Item } from './event.js';
export type { Example } from './example.js';
export type { Feature, FeatureFitter, FittedFeature, JsonValue, ReservedIds } from './feature.js';
export type { AnswerOf, Metric, RankedAnswer, Score, WrittenAnswer } from './metric.js';
export type {
  BadRow,
  BadRowReason,
  FilterReport,
  ItemReport,
  StageReport,
  TableEngine,
  TableLimits,
  TableName,
  TableProgress,
  TableSession,
  TableSettings,
  Thresholds,
  WriteReport,
} from './table-engine.js';
export type { AnswerKind, Catalogue, Question, Task } from './task.js';
export type { History, Timeline } from './timeline.js';
export type { CheckpointFormat, StoredTensor } from './checkpoint-format.js';
export type { Communicator } from './communicator.js';
export type { Compressor, CompressorModule, UserLatents } from './compressor.js';
export { definePlugin, partName, seamNames, type Plugin, type SeamName, type Seams } from './define-plugin.js';
export { guardPlugin } from './guard-plugin.js';
export type { Fusion, FusionModule, FusionSizes, UserContext } from './fusion.js';
export type {
  BranchStep,
  DecodeStep,
  HiddenStates,
  LanguageModel,
  LanguageModelHooks,
  LanguageModelModule,
  LayerCache,
  LinearMap,
  TokenBatch,
} from './language-model.js';
export type { ModelPart } from './model-part.js';
export type { OptimizerPlugin } from './optimizer.js';
export { createRegistry, type Registry } from './registry.js';
export type { RuntimePlugin } from './runtime.js';
export { stableJson } from './stable-json.js';
export type { TrackedRun, Tracker } from './tracker.js';
export type { TextTokenizer } from './text-tokenizer.js';
export type {
  AppendedEvents,
  EncodedEvents,
  EncodedFeature,
  EncoderInputs,
  EventAppender,
  EventBatch,
  PretrainingBatch,
  UserEncoder,
  UserEncoderModule,
} from './user-encoder.js';
export type { UserKey, UserState, UserStore } from './user-store.js';

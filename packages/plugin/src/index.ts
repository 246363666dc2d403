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

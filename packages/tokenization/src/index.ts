export type { BatchCursor } from './batch-cursor.js';
export { BatchLoader, type BatchRange, type PrefetchOptions } from './batch-loader.js';
export type { BatchRecipe, CheckedRecipe } from './batch-recipe.js';
export { batchOf, type Batch, type FeatureAxes, type FeatureColumns, type PaddingSide } from './batch.js';
export { eventsInMemory, type EventColumns, type EventSource } from './event-columns.js';
export {
  defineEventSchema,
  type BucketSpec,
  type BuiltInSpec,
  type IdSpec,
  type MultiIdSpec,
  type OrdinalSpec,
  type TextSpec,
} from './event-schema.js';
export { EventTokenizer, type TrainingData } from './event-tokenizer.js';
export { bucketFeature } from './features/bucket.js';
export { idFeature } from './features/id.js';
export { featureKinds } from './features/kinds.js';
export { labelsFeature, textFeature } from './features/multi-id.js';
export { ordinalFeature } from './features/ordinal.js';
export {
  formatPaperCounts,
  paperCounts,
  paperProtocol,
  publishedMovieLens20M,
  type PaperCounts,
  type ProtocolCounts,
  type PublishedCounts,
} from './paper-protocol.js';
export { parquetEvents, parquetItems } from './parquet-events.js';
export { openParquetTimelines, type ParquetTimelinesOptions } from './parquet-timelines.js';
export { firstValueId, reservedIds } from './reserved-ids.js';
export type { PlannedFeature, ReadyFeature } from './schema-plan.js';
export {
  heldOutEvents,
  partOfUser,
  targetRange,
  timeSplit,
  type Part,
  type Split,
  type SplitOptions,
  type TargetRange,
} from './splits.js';
export { timelinesInMemory, type TimelineSource } from './timeline-source.js';
export { TimelinesBuilder } from './timelines-builder.js';
export { Timelines, type FeatureLayout, type TimelineColumns } from './timelines.js';
export { Vocabulary, type VocabularyOptions } from './vocabulary.js';
export { currentWindows, planWindows, type WindowOptions, type Windows } from './windows.js';

export type { Event, EventSchema, FeatureOrigin, FeatureSpec, FieldValue, Item } from './event.js';
export type { Example } from './example.js';
export type { Feature, FeatureFitter, FittedFeature, JsonValue, ReservedIds } from './feature.js';
export type { AnswerOf, Metric, RankedAnswer, Score, WrittenAnswer } from './metric.js';
export type { AnswerKind, Catalogue, Question, Task } from './task.js';
export type { History, Timeline } from './timeline.js';

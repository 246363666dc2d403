import type { Float, FloatScalar, Module, Symbolic } from '@user-llm/graph';
import type { ModelPart } from './model-part.js';

/** A feature of events as an encoder sees it. */
export interface EncodedFeature {
  readonly name: string;
  /** Number of ids, reserved ones included: rows of the embedding table. */
  readonly size: number;
  /** Ids per event: 1, or more where one event has several. */
  readonly slots: number;
}

/** A batch of histories. */
export interface EventBatch {
  /** Ids per feature: `[batch, event]`, or `[batch, event, slot]` for a feature of several slots. */
  readonly features: Readonly<Record<string, Symbolic<'int32'>>>;
  /** `[batch, event]`, true where there is an event. */
  readonly mask: Symbolic<'bool', readonly ['batch', 'event']>;
  /** Changes with every training step; absent when nothing is dropped. */
  readonly seed?: Symbolic<'int32', readonly []>;
}

/** What an encoder makes of histories. */
export interface EncodedEvents {
  /** `[batch, event, userWidth]`, one embedding per event. */
  readonly events: Float<readonly ['batch', 'event', 'userWidth']>;
  /** `[batch, event]`, true where there is an event. */
  readonly mask: Symbolic<'bool', readonly ['batch', 'event']>;
}

/** A built encoder. */
export interface UserEncoderModule extends Module {
  apply(parameters: never, batch: EventBatch): EncodedEvents;
  /** What pretraining minimises: one number. */
  loss(parameters: never, batch: EventBatch): FloatScalar;
  /** Scores of the whole catalogue for the event after the last: `[batch, item]`. */
  nextItem(parameters: never, batch: EventBatch): Float<readonly ['batch', 'item']>;
}

/** A kind of user encoder: it distils histories into embeddings (Ning et al., arXiv 2402.13598). */
export interface UserEncoder<Config = unknown> extends ModelPart<Config> {
  build(config: Config, features: readonly EncodedFeature[]): UserEncoderModule;
}

import type { Float, FloatScalar, Module, NamedTensors, Symbolic } from '@user-llm/graph';
import type { Axes, Tensor } from '@user-llm/tensor';
import type { ModelPart } from './model-part.js';

/** A feature of events as an encoder sees it. */
export interface EncodedFeature {
  readonly name: string;
  /** Number of ids, reserved ones included: rows of the embedding table. */
  readonly size: number;
  /** Ids per event: 1, or more where one event has several. */
  readonly slots: number;
}

/** A batch of histories, each from the start of its row; what is left of the row is padding. */
export interface EventBatch {
  /** Ids per feature: `[batch, event]`, or `[batch, event, slot]` for a feature of several slots. */
  readonly features: Readonly<Record<string, Symbolic<'int32'>>>;
  /** `[batch, event]`, true where there is an event. */
  readonly mask: Symbolic<'bool', readonly ['batch', 'event']>;
  /** Changes with every training step; absent when nothing is dropped. */
  readonly seed?: Symbolic<'int32', readonly []>;
}

/** A batch of histories with what came after each event. */
export interface PretrainingBatch extends EventBatch {
  /** Ids of the event after each one, shaped as `features`; 0 where there is none. */
  readonly labels: Readonly<Record<string, Symbolic<'int32'>>>;
  /**
   * Where there are labels, as flat positions `batch * events + event`, `[row]`; filled up with any position that has
   * none. The loss then costs as much as these rows; all positions are looked at when absent.
   */
  readonly rows?: Symbolic<'int32', readonly ['row']>;
}

/** What an encoder makes of histories. */
export interface EncodedEvents {
  /** `[batch, event, userWidth]`, one embedding per event. */
  readonly events: Float<readonly ['batch', 'event', 'userWidth']>;
  /** `[batch, event]`, true where there is an event. */
  readonly mask: Symbolic<'bool', readonly ['batch', 'event']>;
}

/** More events of each user, one or several, with what is kept of the events before. */
export interface AppendedEvents {
  /** Ids per feature of the new events: `[batch, event]`, or `[batch, event, slot]`; rows that have fewer are padded. */
  readonly features: Readonly<Record<string, Symbolic<'int32'>>>;
  /** How many events came before, `[batch]`; with the new ones at most the encoder's `maximumEvents`. */
  readonly lengths: Symbolic<'int32', readonly ['batch']>;
  /** What is kept, by the names of `EventAppender.state`. */
  readonly state: NamedTensors;
}

/**
 * Appends events to a history that is encoded already, without reading the history again. What is kept of a user with
 * no events is zeros; events appended to it are the whole history.
 */
export interface EventAppender {
  /** Axes and sizes of what is kept of one user, float32; a batch of users has a `batch` axis before them. */
  readonly state: Readonly<Record<string, { readonly axes: Axes; readonly shape: readonly number[] }>>;
  /** The embeddings of the new events, equal to those of the whole history encoded at once, and what is kept now. */
  append(
    parameters: never,
    events: AppendedEvents,
  ): { readonly events: Float<readonly ['batch', 'event', 'userWidth']>; readonly state: NamedTensors };
}

/** A built encoder. */
export interface UserEncoderModule extends Module {
  /** Width of an event's embedding. */
  readonly userWidth: number;
  /** Events of the longest history it reads; of a longer one it is given the last. */
  readonly maximumEvents: number;
  apply(parameters: never, batch: EventBatch): EncodedEvents;
  /** What pretraining minimises: one number. */
  loss(parameters: never, batch: PretrainingBatch): FloatScalar;
  /** Scores of all ids of the item feature for the event after the last: `[batch, item]`; the reserved ids count too. */
  nextItem(parameters: never, batch: EventBatch): Float<readonly ['batch', 'item']>;
  /**
   * As `nextItem` from the embedding of each user's last event, `[batch, userWidth]`; absent where that embedding does
   * not say it all.
   */
  itemScores?(parameters: never, last: Float<readonly ['batch', 'userWidth']>): Float<readonly ['batch', 'item']>;
  /** Absent where an event changes the embeddings of those before it, as in a bidirectional encoder. */
  readonly appender?: EventAppender;
}

/** What is known of the data when an encoder is built. */
export interface EncoderInputs {
  readonly features: readonly EncodedFeature[];
  /** Name of the feature that is predicted and ranked. */
  readonly item: string;
  /** Vectors known of a feature's ids beforehand, `[id, vectorWidth]`, such as those of items' texts. */
  readonly vectors?: Readonly<Record<string, Tensor<'float32', readonly ['id', 'vectorWidth']>>>;
  /**
   * Which ids of a feature with vectors training events have, `[id]`: 1 for those and for reserved ids, 0 for the others,
   * whose embeddings then stay what their vectors say. Training alone needs it: a trained table holds 0 for the others.
   */
  readonly seen?: Readonly<Record<string, Tensor<'float32', readonly ['id']>>>;
  /** Other features of the item feature's ids, `[id, slot]`, where they are known: ids by feature, 0 for a free slot. */
  readonly itemFeatures?: Readonly<Record<string, Tensor<'int32', readonly ['id', 'slot']>>>;
}

/** A kind of user encoder: it distils histories into embeddings (Ning et al., arXiv 2402.13598). */
export interface UserEncoder<Config = unknown> extends ModelPart<Config> {
  build(config: Config, inputs: EncoderInputs): UserEncoderModule;
}

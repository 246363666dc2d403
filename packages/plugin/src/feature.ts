import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { FieldValue } from './event.js';

/** Anything that JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Ids that every feature reserves: nothing there, a value never seen (or missing), a value hidden in training. */
export interface ReservedIds {
  readonly padding: 0;
  readonly unknown: 1;
  readonly mask: 2;
}

/**
 * A kind of feature: how values become ids. A team adds one by `definePlugin({ features: [...] })`.
 *
 * Fitting sees each value of the training data once; what it leaves behind is plain JSON that `load` reads again, so
 * the ids a model was trained with are the ids it is served with.
 */
export interface Feature<Options = unknown> {
  readonly specVersion: 1;
  /** The name that `FeatureSpec.kind` gives. */
  readonly kind: string;
  /** Validates the options of a `FeatureSpec` (all its keys) and fills in defaults. */
  readonly options: StandardSchemaV1<unknown, Options>;
  /** Starts learning from values. */
  fit(options: Options): FeatureFitter;
  /**
   * Makes the fitted feature again from what its `toJSON` gave.
   *
   * @throws UserLlmError when the state is not one of this kind, or of a version it does not know.
   */
  load(state: JsonValue): FittedFeature;
}

/** Learns a feature from training values. */
export interface FeatureFitter {
  /** Takes in one value; a missing or absurd one is passed over. */
  observe(value: FieldValue): void;
  /** Ends learning. */
  finish(): FittedFeature;
}

/** A feature that knows its ids. Ids are `0 .. size - 1`; 0, 1 and 2 are `ReservedIds`. */
export interface FittedFeature {
  /** Number of ids, the reserved ones included: rows of an embedding table. */
  readonly size: number;
  /** Ids per event: 1, or more where one event has several. */
  readonly slots: number;
  /**
   * Writes `slots` ids of one value to `out[offset ...]`; never throws: an unknown or missing value becomes the unknown
   * id, a slot that is not needed the padding id.
   */
  encode(value: FieldValue, out: Int32Array, offset: number): void;
  /** What an id stands for, in words; nothing for reserved ids, hashed tails, and ids out of range. */
  decode(id: number): string | undefined;
  /** State that `Feature.load` reads again. */
  toJSON(): JsonValue;
}

import type { EventSchema, FeatureSpec } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import type { VocabularyOptions } from './vocabulary.js';

interface Origin {
  readonly from?: 'event' | 'item' | 'time-gap' | 'hour';
  readonly field?: string;
}

/** One value of many, such as the item. */
export interface IdSpec extends Origin, VocabularyOptions {
  readonly kind: 'id';
}

/** Several labels of one event, such as genres: the first `slots` of them. */
export interface MultiIdSpec extends Origin, VocabularyOptions {
  readonly kind: 'multi-id';
  readonly slots: number;
}

/** One of a few numbers in order, such as a rating; `values` are learned when absent. */
export interface OrdinalSpec extends Origin {
  readonly kind: 'ordinal';
  readonly values?: readonly number[];
}

/** A number by the range it falls in; see `bucketFeature` for what stands in for `edges`. */
export interface BucketSpec extends Origin {
  readonly kind: 'bucket';
  readonly edges?: readonly number[];
  readonly quantiles?: number;
}

/** The first `slots` words of running text. */
export interface TextSpec extends Origin, VocabularyOptions {
  readonly kind: 'text';
  readonly slots: number;
}

/** A feature of a kind that comes with the package. */
export type BuiltInSpec = IdSpec | MultiIdSpec | OrdinalSpec | BucketSpec | TextSpec;

const nameForm = /^[a-z][A-Za-z0-9]*$/;

/** A spec held to the keys of its kind: one that is misspelled does not compile. */
type HeldTo<Spec, Given> = Spec & { readonly [Key in Exclude<keyof Given, keyof Spec>]: never };

/** Specs of kinds that come with the package are held to their own keys; kinds of plugins to `FeatureSpec`. */
type Checked<S extends EventSchema> = {
  readonly [Name in keyof S]: S[Name] extends { readonly kind: infer Kind extends BuiltInSpec['kind'] }
    ? HeldTo<Extract<BuiltInSpec, { readonly kind: Kind }>, S[Name]>
    : FeatureSpec;
};

/**
 * Names the features of an event and keeps their names in the type, so that batches carry `Id<'item'>` for `item`.
 *
 * @example
 * const schema = defineEventSchema({
 *   item: { kind: 'id' },
 *   genre: { kind: 'multi-id', from: 'item', field: 'categories', slots: 4 },
 *   rating: { kind: 'ordinal' },
 *   gap: { kind: 'bucket', from: 'time-gap' },
 * });
 * @throws UserLlmError `bad-event-schema` when there is no feature, or a name is not in camel case.
 */
export function defineEventSchema<const S extends EventSchema>(features: S & Checked<S>): S {
  const names = Object.keys(features);
  const wrong = names.find((name) => !nameForm.test(name));
  if (names.length === 0 || wrong !== undefined) {
    throw new UserLlmError('bad-event-schema', {
      what: 'event schema',
      expected: 'at least one feature, named in camel case',
      got: wrong === undefined ? 'none' : `"${wrong}"`,
    });
  }
  return features;
}

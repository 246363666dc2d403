/** One value of an event or an item: a string, number or truth value, several strings (categories), or nothing. */
export type FieldValue = string | number | boolean | readonly string[] | null | undefined;

/**
 * One thing a user did: a row of the canonical `events` table that data sets make and tokenization reads.
 *
 * Ids are strings, so 64-bit ids keep every digit. Columns of a data set's own come as further fields.
 */
export interface Event {
  readonly user: string;
  readonly item: string;
  /** When it happened, in milliseconds since 1970-01-01T00:00:00Z. */
  readonly time: number;
  /** The user's rating of the item, in the scale of the data set. */
  readonly rating?: number | null;
  /** What the user wrote, such as the body of a review. */
  readonly text?: string | null;
  /** The headline of what the user wrote. */
  readonly summary?: string | null;
  readonly [field: string]: FieldValue;
}

/** What is known of one item: a row of the canonical `items` table. */
export interface Item {
  readonly item: string;
  readonly title?: string | null;
  /** Genres or categories, in the data set's order. */
  readonly categories?: readonly string[] | null;
  readonly description?: string | null;
  readonly [field: string]: FieldValue;
}

/** Where a feature finds its value. */
export type FeatureOrigin =
  /** A field of the event. */
  | 'event'
  /** A field of the event's item. */
  | 'item'
  /** Seconds since the user's event before; nothing for the first event. */
  | 'time-gap'
  /** Hour of the day in UTC, 0 to 23. */
  | 'hour';

/**
 * How one feature of an event becomes ids: the kind of feature (`id`, `multi-id`, `ordinal`, `bucket`, `text`, or one
 * that a plugin brings), where its value comes from, and that kind's own options.
 */
export interface FeatureSpec {
  /** Name of the kind: a `Feature` of the registry. */
  readonly kind: string;
  /** Where the value comes from; `event` when absent. */
  readonly from?: FeatureOrigin;
  /** The field of the event or item; the feature's own name when absent. */
  readonly field?: string;
  /** Ids per event, for kinds with several; such a feature has a `slot` axis. */
  readonly slots?: number;
  /** Options of the kind. */
  readonly [option: string]: unknown;
}

/** The features of an event by name. The name brands the ids: feature `genre` makes `Id<'genre'>`. */
export type EventSchema = Readonly<Record<string, FeatureSpec>>;

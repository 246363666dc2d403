import type { Event, EventSchema, Feature, Item, JsonValue } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';
import { columnsOf, eventsInMemory, type EventSource } from './event-columns.js';
import { featureKinds } from './features/kinds.js';
import { observeEvents, observeItems } from './fitting.js';
import { contentHash } from './hash.js';
import { decodeInt32, encodeInt32 } from './int32-text.js';
import { ItemTable } from './item-table.js';
import { eventFields, planSchema, readyFeature, type ReadyFeature } from './schema-plan.js';
import { TimelinesBuilder } from './timelines-builder.js';
import type { Timelines } from './timelines.js';

/** What a tokenizer learns from. */
export interface TrainingData {
  /** The events that training may see: leave out those that the model is tested on where that matters. */
  readonly events: EventSource | Iterable<Event>;
  /** The catalogue; needed for features that hang on the item. */
  readonly items?: Iterable<Item> | AsyncIterable<Item>;
  /** Values that may come although no event shows them, by feature: each counts as seen once more. */
  readonly expected?: Readonly<Record<string, Iterable<string>>>;
}

const tokenizerFile = z.object({
  format: z.literal('user-llm-event-tokenizer'),
  version: z.literal(1),
  hash: z.string(),
  schema: z.json(),
  features: z.record(z.string(), z.json()),
  items: z.object({ ids: z.array(z.string()), columns: z.record(z.string(), z.string()) }),
});

/**
 * Turns events into timelines of ids by a schema. Fitted once on training data, saved with the model, and used again as
 * it was: equal events give equal ids wherever it is loaded.
 */
export class EventTokenizer<S extends EventSchema = EventSchema> {
  readonly schema: S;
  readonly features: readonly ReadyFeature[];
  /** The catalogue's features. */
  readonly items: ItemTable;
  /** SHA-256 of all it knows; a model refuses a tokenizer with another one than it was trained with. */
  readonly hash: string;

  private constructor(schema: S, features: readonly ReadyFeature[], items: ItemTable) {
    this.schema = schema;
    this.features = features;
    this.items = items;
    this.hash = contentHash(this.#content());
  }

  /**
   * Learns the ids of a schema: features of the event from every event, features of the item once per item.
   *
   * @param kinds Kinds of feature there are: those of the package, and of plugins.
   * @throws UserLlmError `unknown-feature-kind`, `bad-feature-options`, or what a kind throws on its values.
   */
  static async fit<S extends EventSchema>(
    schema: S,
    { events, items = [], expected = {} }: TrainingData,
    kinds: readonly Feature[] = featureKinds,
  ): Promise<EventTokenizer<S>> {
    const fitting = planSchema(schema, kinds).map((feature) => ({
      ...feature,
      fitter: feature.kind.fit(feature.options),
    }));
    const catalogue = await observeItems(fitting, items);
    await observeEvents(fitting, 'columns' in events ? events : eventsInMemory(events));
    for (const { name, fitter } of fitting) for (const value of expected[name] ?? []) fitter.observe(value);
    const features = fitting.map((feature) => readyFeature(feature, feature.fitter.finish()));
    return new EventTokenizer(schema, features, ItemTable.of(ofItems(features), catalogue));
  }

  /**
   * Reads what `toJSON` gave.
   *
   * @param schema The schema the caller's types are made for; it must equal the one that was saved.
   * @param kinds Kinds of feature there are: those of the package, and of plugins.
   * @throws UserLlmError `bad-tokenizer` when the JSON is not a tokenizer of a known version, was changed, or has
   *   another schema.
   */
  static fromJSON<S extends EventSchema>(
    json: unknown,
    schema: S,
    kinds: readonly Feature[] = featureKinds,
  ): EventTokenizer<S> {
    const parsed = tokenizerFile.safeParse(json);
    if (!parsed.success) {
      throw badTokenizer('JSON with format "user-llm-event-tokenizer", version 1', z.prettifyError(parsed.error));
    }
    const { features: states, items, hash } = parsed.data;
    if (JSON.stringify(schema) !== JSON.stringify(parsed.data.schema)) {
      throw badTokenizer(`the schema ${JSON.stringify(schema)}`, JSON.stringify(parsed.data.schema));
    }
    const features = planSchema(schema, kinds).map((feature) =>
      readyFeature(feature, feature.kind.load(states[feature.name] ?? null)),
    );
    const columns = ofItems(features).map(({ name, slots }) => {
      return [name, decodeInt32(items.columns[name] ?? '', (items.ids.length + 1) * slots)] as const;
    });
    const tokenizer = new EventTokenizer(schema, features, new ItemTable(items.ids, Object.fromEntries(columns)));
    if (tokenizer.hash !== hash) throw badTokenizer(`the hash ${hash}`, tokenizer.hash);
    return tokenizer;
  }

  /** Number of ids of a feature: rows of its embedding table. */
  sizeOf(feature: keyof S & string): number {
    return this.feature(feature).fitted.size;
  }

  /**
   * One feature of the schema.
   *
   * @throws UserLlmError `unknown-feature` when the schema has none of that name.
   */
  feature(name: keyof S & string): ReadyFeature {
    const feature = this.features.find((candidate) => candidate.name === name);
    if (feature !== undefined) return feature;
    throw new UserLlmError('unknown-feature', {
      what: 'event tokenizer',
      expected: `one of the features ${this.features.map((candidate) => candidate.name).join(', ')}`,
      got: `"${name}"`,
    });
  }

  /** Fields of an event, beside user, item and time, that the schema reads. */
  get fields(): readonly string[] {
    return eventFields(this.features);
  }

  /** A builder of timelines, for events that come in parts. */
  builder(): TimelinesBuilder {
    return new TimelinesBuilder(this.features, this.items);
  }

  /**
   * The timelines of events in memory, in any order; equal times keep their order.
   *
   * @throws UserLlmError `bad-event` when a time is not a number. Unknown values never throw.
   */
  encode(events: readonly Event[]): Timelines {
    const builder = this.builder();
    builder.add(columnsOf(events, this.fields));
    return builder.finish();
  }

  /** All it knows, as versioned, hashed JSON. */
  toJSON(): { readonly [key: string]: JsonValue } {
    return { format: 'user-llm-event-tokenizer', version: 1, hash: this.hash, ...this.#content() };
  }

  #content(): { readonly [key: string]: JsonValue } {
    const states = this.features.map(({ name, fitted }) => [name, fitted.toJSON()] as const);
    const columns = Object.entries(this.items.columns).map(([name, column]) => [name, encodeInt32(column)] as const);
    return {
      schema: JSON.parse(JSON.stringify(this.schema)) as JsonValue,
      features: Object.fromEntries(states),
      items: { ids: this.items.items, columns: Object.fromEntries(columns) },
    };
  }
}

function ofItems(features: readonly ReadyFeature[]): ReadyFeature[] {
  return features.filter(({ origin }) => origin === 'item');
}

function badTokenizer(expected: string, got: string): UserLlmError {
  const mend = 'Take the tokenizer file of the model directory, with the schema the model was trained with.';
  return new UserLlmError('bad-tokenizer', { what: 'event tokenizer', expected, got, mend });
}

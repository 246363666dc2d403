import { createHash } from 'node:crypto';
import { openDataset } from '@user-llm/datasets';
import type { Catalogue, EncoderInputs, Event, EventSchema, Feature, Item } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import {
  EventTokenizer,
  eventsInMemory,
  heldOutEvents,
  parquetEvents,
  parquetItems,
  partOfUser,
  type EventSource,
  type Split,
  type Timelines,
} from '@user-llm/tokenization';
import { Histories } from './histories.js';

/** Events and items that a model is trained on, and how they are parted. */
export interface TrainingData {
  readonly histories: Histories;
  readonly catalogue: Catalogue;
  readonly split: Split;
  /** Tells these data from others: part of the hash that checkpoints carry. */
  readonly fingerprint: string;
}

/** The events as ids, users in the order of the histories. */
export interface TokenizedData extends TrainingData {
  readonly tokenizer: EventTokenizer;
  readonly timelines: Timelines;
  /** Vectors known of ids beforehand, and which ids training events have, as the encoder takes them. */
  readonly vectors?: EncoderInputs['vectors'];
  readonly seen?: EncoderInputs['seen'];
  /** Tells those vectors from others. */
  readonly vectorsHash?: string;
}

const ownColumns = new Set(['user', 'item', 'time']);

/**
 * Reads a prepared data set.
 *
 * @throws UserLlmError as `openDataset` and the readers of Parquet files.
 */
export async function readDataset(folder: string, split: Split): Promise<TrainingData> {
  const { manifest, paths } = await openDataset(folder);
  const fields = Object.keys(manifest.schema.events).filter((column) => !ownColumns.has(column));
  const { 'events.parquet': events, 'items.parquet': items } = manifest.files;
  return {
    histories: await Histories.read(parquetEvents(paths.events), fields),
    catalogue: await catalogueOf(parquetItems(paths.items)),
    split,
    fingerprint: `${events.sha256} ${items.sha256}`,
  };
}

/** Data in memory; events in any order. Each user's last event is tested and the one before validates when `split` is absent. */
export async function dataInMemory(
  events: Iterable<Event>,
  items: Iterable<Item> = [],
  split: Split = { kind: 'leave-last-out', validation: 1, seed: 0 },
): Promise<TrainingData> {
  const all = [...events];
  const fields = [...new Set(all.flatMap((event) => Object.keys(event)))].filter((field) => !ownColumns.has(field));
  const histories = await Histories.read(eventsInMemory(all), fields);
  const catalogue = await catalogueOf(items);
  const hash = createHash('sha256');
  for (const row of [...all, ...catalogue.values()]) hash.update(`${JSON.stringify(row)}\n`);
  return { histories, catalogue, split, fingerprint: hash.digest('hex') };
}

async function catalogueOf(items: Iterable<Item> | AsyncIterable<Item>): Promise<Catalogue> {
  const catalogue = new Map<string, Item>();
  for await (const item of items) catalogue.set(item.item, item);
  return catalogue;
}

/**
 * The events that a model may learn ids and vocabularies from: those that are not validated or tested.
 *
 * With held-out users, those of the users that are trained on; else what comes before a user's first event that is held
 * out.
 */
export function trainingEvents({ histories, split }: TrainingData): EventSource {
  switch (split.kind) {
    case 'held-out-users':
      return histories.source((user, length) => (partOfUser(histories.users[user]!, split) === 'train' ? length : 0));
    case 'leave-last-out':
      return histories.source((user, length) => Math.max(0, length - heldOutEvents(histories.users[user]!, split)));
    case 'time':
      return histories.source((user) => histories.before(user, split.validationFrom));
  }
}

/** How many training events have each item; an item that none has is not there. */
export async function trainedItems(data: TrainingData): Promise<ReadonlyMap<string, number>> {
  const items = new Map<string, number>();
  for await (const { length, items: chunk } of trainingEvents(data).columns([])) {
    for (let row = 0; row < length; row++) items.set(chunk[row]!, (items.get(chunk[row]!) ?? 0) + 1);
  }
  return items;
}

/**
 * Learns an event tokenizer from the training events, and turns all events to ids.
 *
 * @param kinds Kinds of feature there are.
 * @param fitted A tokenizer that has been learned already.
 * @param expected Values that get ids although no training event has them, by feature.
 * @throws UserLlmError `no-events` when nothing is left to train on, and what the tokenizer throws.
 */
export async function tokenized(
  data: TrainingData,
  schema: EventSchema,
  kinds: readonly Feature[],
  fitted?: EventTokenizer,
  expected: Readonly<Record<string, readonly string[]>> = {},
): Promise<TokenizedData> {
  if (data.histories.events === 0) {
    throw new UserLlmError('no-events', {
      what: 'training data',
      expected: 'events',
      got: 'none',
      mend: 'Look at the manifest of the data set, or at the events handed over.',
    });
  }
  const items = data.catalogue.values();
  const events = trainingEvents(data);
  const tokenizer = fitted ?? (await EventTokenizer.fit(schema, { events, items, expected }, kinds));
  const builder = tokenizer.builder();
  for await (const chunk of data.histories.source().columns(tokenizer.fields)) builder.add(chunk);
  return { ...data, tokenizer, timelines: builder.finish() };
}

import type { FeatureFitter, FieldValue, Item } from '@user-llm/plugin';
import { columnOf, type EventColumns, type EventSource } from './event-columns.js';
import { eventFields, type PlannedFeature } from './schema-plan.js';
import { hourOf } from './timelines-builder.js';

/** A feature that is learning. */
export interface FittingFeature extends PlannedFeature {
  readonly fitter: FeatureFitter;
}

/**
 * Shows each item once to the features that hang on the item.
 *
 * @returns The items, with only the fields that those features read.
 */
export async function observeItems(
  features: readonly FittingFeature[],
  items: Iterable<Item> | AsyncIterable<Item>,
): Promise<Item[]> {
  const ofItems = features.filter(({ origin }) => origin === 'item');
  const catalogue: Item[] = [];
  for await (const item of items) {
    const values = ofItems.map(({ field, fitter }): [string, FieldValue] => {
      fitter.observe(item[field]);
      return [field, item[field]];
    });
    catalogue.push({ ...Object.fromEntries(values), item: item.item });
  }
  return catalogue;
}

/** Shows each event once to the features that belong to the event. */
export async function observeEvents(features: readonly FittingFeature[], source: EventSource): Promise<void> {
  const ofEvents = features.filter(({ origin }) => origin !== 'item');
  const previous = new Map<string, number>();
  const gaps = ofEvents.some(({ origin }) => origin === 'time-gap');
  for await (const chunk of source.columns(eventFields(ofEvents))) {
    const seconds = gaps ? gapsOf(chunk, previous) : [];
    for (const { origin, field, fitter } of ofEvents) {
      if (origin === 'event') {
        const values = columnOf(chunk, field);
        for (let row = 0; row < chunk.length; row++) fitter.observe(values[row]);
      } else if (origin === 'hour') {
        for (let row = 0; row < chunk.length; row++) fitter.observe(hourOf(chunk.times[row]!));
      } else {
        for (const gap of seconds) fitter.observe(gap);
      }
    }
  }
}

/** Seconds between each event and the one of the same user that came before it in the source. */
function gapsOf({ users, times, length }: EventColumns, previous: Map<string, number>): (number | null)[] {
  return Array.from({ length }, (_, row) => {
    const before = previous.get(users[row]!);
    previous.set(users[row]!, times[row]!);
    return before === undefined ? null : (times[row]! - before) / 1000;
  });
}

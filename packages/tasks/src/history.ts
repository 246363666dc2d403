import type { Catalogue, Event, Item, Question } from '@user-llm/plugin';

/** The events before a question's position, the last `length` of them. */
export function historyBefore({ history, position, length = Infinity }: Question): readonly Event[] {
  return history.events.slice(Math.max(0, position - length), position);
}

/** What an item is called in prompts and answers: its title on one line, or its id where it has none. */
export function itemTitle({ item, title }: Item): string {
  const line = title?.replace(/\s+/gu, ' ').trim();
  return line === undefined || line === '' ? item : line;
}

/** What an item is called, by its id. */
export function titleOf(item: string, catalogue: Catalogue): string {
  return itemTitle(catalogue.get(item) ?? { item });
}

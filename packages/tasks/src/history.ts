import type { Catalogue, Event, Question } from '@user-llm/plugin';

/** The events before a question's position, the last `length` of them. */
export function historyBefore({ history, position, length = Infinity }: Question): readonly Event[] {
  return history.events.slice(Math.max(0, position - length), position);
}

/** What an item is called: its title, or its id where it has none. */
export function titleOf(item: string, catalogue: Catalogue): string {
  const title = catalogue.get(item)?.title?.replace(/\s+/gu, ' ').trim();
  return title === undefined || title === '' ? item : title;
}

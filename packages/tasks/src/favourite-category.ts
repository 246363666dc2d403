import type { Catalogue, Event, Task } from '@user-llm/plugin';
import { historyBefore } from './history.js';
import { fillTemplate, type Template } from './template.js';

/** Which events are counted, and how the task speaks of categories. */
export interface FavouriteCategoryOptions {
  /** `history` counts the events before the position, `future` the one at it and those after; `history` when absent. */
  readonly over?: 'history' | 'future';
  /** With `future`: how many events to count; all when absent. */
  readonly horizon?: number;
  /** What a category is called, such as `genre`; `category` when absent. */
  readonly noun?: string;
  /** Categories that do not count, such as one that all items have. */
  readonly ignored?: readonly string[];
}

const ofHistory: Template = {
  version: 1,
  phrasings: [
    "What is this user's favourite {noun}?",
    'Which {noun} occurs most often in the history of this user?',
    'Name the {noun} that this user has chosen most.',
  ],
};

const ofFuture: Template = {
  version: 1,
  phrasings: [
    'Which {noun} will this user choose most from now on?',
    'Predict the favourite {noun} of this user in the time to come.',
    'Name the {noun} that will occur most often in what this user does next.',
  ],
};

/**
 * The most frequent category of events; ties go to the category met nearest the end, and of one event to the one named
 * first.
 *
 * @param events In the order of time, or backwards so that ties go to the earliest.
 * @returns Nothing when no event's item has a category that counts.
 */
export function favouriteCategory(
  events: readonly Event[],
  catalogue: Catalogue,
  ignored: readonly string[] = [],
): string | undefined {
  const counts = new Map<string, number>();
  for (const event of events) {
    for (const category of countedCategories(event, catalogue, ignored)) {
      counts.set(category, (counts.get(category) ?? 0) + 1);
    }
  }
  const most = Math.max(...counts.values());
  for (const event of events.toReversed()) {
    const favourite = countedCategories(event, catalogue, ignored).find((category) => counts.get(category) === most);
    if (favourite !== undefined) return favourite;
  }
  return undefined;
}

/**
 * Favourite category: of the history that the model reads (User-LLM, favourite genre or category), or of the events that
 * follow, which no count over the input can answer.
 */
export function favouriteCategoryTask({
  over = 'history',
  horizon = Infinity,
  noun = 'category',
  ignored = [],
}: FavouriteCategoryOptions = {}): Task {
  const name = over === 'history' ? `favourite-${noun}` : `future-favourite-${noun}`;
  const template = over === 'history' ? ofHistory : ofFuture;
  return {
    specVersion: 1,
    name,
    version: template.version,
    answers: 'label',
    phrasings: template.phrasings.length,
    metrics: ['accuracy'],
    example: (question, catalogue) => {
      const history = historyBefore(question);
      if (history.length === 0) return undefined;
      const { position } = question;
      const following = question.history.events.slice(position, position + horizon).reverse();
      const target = favouriteCategory(over === 'history' ? history : following, catalogue, ignored);
      if (target === undefined) return undefined;
      const filled = fillTemplate(name, template, question.phrasing ?? 0, { noun });
      return { task: name, user: question.history.user, history, target, ...filled };
    },
  };
}

function countedCategories(event: Event, catalogue: Catalogue, ignored: readonly string[]): string[] {
  const categories = new Set(catalogue.get(event.item)?.categories ?? []);
  return [...categories].filter((category) => !ignored.includes(category));
}

import type { Task } from '@user-llm/plugin';
import { historyBefore, titleOf } from './history.js';
import { fillTemplate, type Template } from './template.js';

/** How the task speaks of items. */
export interface NextItemOptions {
  /** What an item is, such as `movie`, `product` or `place`. */
  readonly noun?: string;
}

const template: Template = {
  version: 1,
  phrasings: [
    'Which {noun} does this user choose next?',
    'Name the {noun} that comes next in the history of this user.',
    'Given everything this user has chosen so far, predict the next {noun}.',
    'Recommend the one {noun} that this user is most likely to choose now.',
  ],
};

/** Next item: the history before an event, and the event's item as the answer (User-LLM, next item prediction). */
export function nextItemTask({ noun = 'item' }: NextItemOptions = {}): Task {
  const name = 'next-item';
  return {
    specVersion: 1,
    name,
    version: template.version,
    answers: 'item',
    phrasings: template.phrasings.length,
    metrics: ['recall@1', 'recall@5', 'recall@10', 'ndcg@10', 'mrr@10'],
    example: (question, catalogue) => {
      const event = question.history.events[question.position];
      if (event === undefined || question.position < 1) return undefined;
      return {
        task: name,
        user: question.history.user,
        history: historyBefore(question),
        target: titleOf(event.item, catalogue),
        item: event.item,
        ...fillTemplate(name, template, question.phrasing ?? 0, { noun }),
      };
    },
  };
}

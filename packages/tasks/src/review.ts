import type { Task } from '@user-llm/plugin';
import { historyBefore, titleOf } from './history.js';
import { fillTemplate, type Template } from './template.js';

/** Which words are asked for. */
export interface ReviewOptions {
  /** The review itself, or its headline; `text` when absent. */
  readonly of?: 'text' | 'summary';
}

const templates: Readonly<Record<'text' | 'summary', Template>> = {
  text: {
    version: 1,
    phrasings: [
      'Write the review that this user wrote of "{title}", rated {rating}.',
      'This user rated "{title}" {rating}. What did they write about it?',
      'In the words of this user, review "{title}" with a rating of {rating}.',
    ],
  },
  summary: {
    version: 1,
    phrasings: [
      'Write the headline of the review that this user wrote of "{title}", rated {rating}.',
      'This user rated "{title}" {rating}. What was the headline of their review?',
      'In the words of this user, sum up "{title}", rated {rating}, in one line.',
    ],
  },
};

/** Review generation: the item's name and the user's rating are given, the user's own words are the answer (User-LLM). */
export function reviewTask({ of = 'text' }: ReviewOptions = {}): Task {
  const name = `review-${of}`;
  const template = templates[of];
  return {
    specVersion: 1,
    name,
    version: template.version,
    answers: 'text',
    phrasings: template.phrasings.length,
    metrics: ['rougeL', 'rouge1', 'rouge2', 'bleu', 'distinct-1', 'distinct-2'],
    example: (question, catalogue) => {
      const event = question.history.events[question.position];
      const target = event?.[of]?.trim();
      if (event === undefined || target === undefined || target === '') return undefined;
      if (event.rating === undefined || event.rating === null) return undefined;
      const values = { title: titleOf(event.item, catalogue), rating: String(event.rating) };
      return {
        task: name,
        user: question.history.user,
        history: historyBefore(question),
        target,
        item: event.item,
        ...fillTemplate(name, template, question.phrasing ?? 0, values),
      };
    },
  };
}

import type { Metric } from '@user-llm/plugin';
import { meanScore } from './mean.js';

/** How alike two labels must be. */
export interface AccuracyOptions {
  /** Whether case, outer punctuation and runs of spaces matter too; without it `" Sci-Fi. "` is `sci-fi`. */
  readonly exact?: boolean;
}

const outerPunctuation = /^[\s\p{P}]+|[\s\p{P}]+$/gu;

/** Share of labels that are right. */
export function accuracy({ exact = false }: AccuracyOptions = {}): Metric<'label'> {
  const form = exact ? (label: string) => label : plainLabel;
  return {
    specVersion: 1,
    name: exact ? 'exact-accuracy' : 'accuracy',
    answers: 'label',
    higherIsBetter: true,
    score: (answers) =>
      meanScore(answers.map(({ prediction, reference }) => (form(prediction) === form(reference) ? 1 : 0))),
  };
}

/** A label without what a language model may add to it: case, outer punctuation, runs of spaces. */
export function plainLabel(label: string): string {
  const words = label.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();
  const inner = words.replace(outerPunctuation, '');
  return inner === '' ? words : inner;
}

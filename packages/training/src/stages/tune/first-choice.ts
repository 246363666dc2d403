import { z } from 'zod';
import type { TokenExample } from './token-example.js';

/** Field of a stage: how many of its batches ask of each constrained title its first choice alone. */
export const firstChoiceShareField = z
  .number()
  .positive()
  .max(1)
  .optional()
  .describe(
    'Share of the batches that ask of each constrained title its first choice alone: most of what tells titles apart is there. None when absent.',
  );

/** Whether the batch of this number, from 0, is one of a share of all of them, evenly spread. */
export function inShare(batch: number, share: number): boolean {
  return Math.floor((batch + 1) * share) > Math.floor(batch * share);
}

/** An example whose answer ends with the first choice of its title; a free answer, or a title without a choice, stays as it is. */
export function firstChoice(example: TokenExample): TokenExample {
  const [choice] = example.choices;
  if (choice?.among === undefined) return example;
  const end = choice.at + 1;
  return {
    tokens: example.tokens.slice(0, example.from + end),
    from: example.from,
    answer: example.answer.slice(0, end),
    choices: [choice],
  };
}

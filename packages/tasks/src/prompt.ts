import type { Catalogue, Event, Example } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { titleOf } from './history.js';

/** What is told of each event besides the item's title. */
export type HistoryField = 'categories' | 'rating' | 'summary' | 'text';

/** How much of the history is written out. */
export type HistoryExtent =
  /** The last so many events. */
  | { readonly lastEvents: number }
  /** As many of the last events as fit, the instruction included. */
  | { readonly tokenBudget: number; readonly countTokens: (text: string) => number };

/** A question as text alone. */
export interface Prompt {
  readonly text: string;
  /** How many events of the history it tells. */
  readonly events: number;
  /** Which wording of history and instruction. */
  readonly template: string;
}

const historyVersion = 1;
const heading = 'What this user has done so far, oldest first:';
const noHistory = 'Nothing is known of what this user has done so far.';

/**
 * The text-prompt form of an example: the history in words, one event a line, then the instruction. What a model without
 * user embeddings is asked.
 *
 * @param extent `lastEvents`, or `tokenBudget` with a `countTokens` that never counts fewer tokens for a longer history.
 * @param fields What is told of each event; categories and rating when absent.
 * @throws UserLlmError `token-budget-too-small` when not even the instruction without history fits.
 */
export function promptOf(
  example: Example,
  catalogue: Catalogue,
  extent: HistoryExtent,
  fields: readonly HistoryField[] = ['categories', 'rating'],
): Prompt {
  const longest = 'lastEvents' in extent ? Math.max(0, Math.trunc(extent.lastEvents)) : Infinity;
  const first = Math.max(0, example.history.length - longest);
  const lines = example.history.slice(first).map((event) => eventText(event, catalogue, fields));
  const write = (events: number) => {
    const told = events === 0 ? noHistory : [heading, ...lines.slice(lines.length - events)].join('\n');
    return `${told}\n\n${example.instruction}`;
  };
  const events = 'lastEvents' in extent ? lines.length : mostThatFit(lines.length, write, extent);
  return { text: write(events), events, template: `history@${historyVersion}+${example.template}` };
}

/** One event in words, on one line. */
export function eventText(event: Event, catalogue: Catalogue, fields: readonly HistoryField[]): string {
  const told = fields.map((field) => {
    if (field === 'categories') return catalogue.get(event.item)?.categories?.join(', ') ?? '';
    if (field === 'rating') return event.rating === undefined || event.rating === null ? '' : `rated ${event.rating}`;
    const words = event[field];
    return words === undefined || words === null || words === '' ? '' : `"${words}"`;
  });
  const parts = [titleOf(event.item, catalogue), ...told.filter((part) => part !== '')];
  return `- ${parts.join(' | ').replace(/\s+/gu, ' ').trim()}`;
}

/** Bisection over the number of events. */
function mostThatFit(
  available: number,
  write: (events: number) => string,
  { tokenBudget, countTokens }: { readonly tokenBudget: number; readonly countTokens: (text: string) => number },
): number {
  const alone = countTokens(write(0));
  if (alone > tokenBudget) {
    throw new UserLlmError('token-budget-too-small', {
      what: 'text prompt',
      expected: `at least ${alone} tokens, which the instruction takes without any history`,
      got: `${tokenBudget}`,
      mend: 'Raise the token budget.',
    });
  }
  let fits = 0;
  let tooMany = available + 1;
  while (tooMany - fits > 1) {
    const events = (fits + tooMany) >>> 1;
    if (countTokens(write(events)) <= tokenBudget) fits = events;
    else tooMany = events;
  }
  return fits;
}

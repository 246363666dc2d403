import type { BatchRecipe } from './batch-recipe.js';
import { checkedRecipe } from './batch-recipe.js';
import type { Timelines } from './timelines.js';
import { planWindows } from './windows.js';

const historyLength = 50;

/**
 * The protocol under which User-LLM's results are reported: events by time, windows of 50 that slide by one, each user's
 * last example for the test and never trained on, users too short for one of each left out. The model's sizes, and the
 * batch size, are the caller's.
 *
 * Source: the protocol as SeqLLM (arXiv 2608.03063) re-uses it. Whether the 50 count the predicted event is not known;
 * here they do not: 50 events are read, the 51st is predicted, and a user needs 52. `paperCounts` shows what other
 * thresholds would give.
 */
export const paperProtocol = {
  split: { kind: 'leave-last-out', validation: 0, seed: 0 },
  window: { kind: 'sliding', length: historyLength, stride: 1, partial: false },
  minimumEvents: historyLength + 2,
} as const satisfies Partial<BatchRecipe>;

/** What a protocol makes of a data set. */
export interface ProtocolCounts {
  /** Users with enough events, each with one test example. */
  readonly users: number;
  readonly items: number;
  readonly trainingExamples: number;
}

/** Published counts, and the size of the raw data set by which it is told. */
export interface PublishedCounts extends ProtocolCounts {
  readonly name: string;
  readonly rawEvents: number;
  readonly rawUsers: number;
}

/**
 * Counts of MovieLens-20M: the raw size as GroupLens gives it, the others as SeqLLM (arXiv 2608.03063) reports them for
 * the protocol of User-LLM.
 */
export const publishedMovieLens20M: PublishedCounts = {
  name: 'MovieLens-20M',
  rawEvents: 20_000_263,
  rawUsers: 138_493,
  users: 82_977,
  items: 27_280,
  trainingExamples: 13_821_405,
};

/** The counts that `paperProtocol` gives, and those of the thresholds and windows around it. */
export interface PaperCounts extends ProtocolCounts {
  readonly rawEvents: number;
  readonly rawUsers: number;
  /** Users with at least so many events, and training examples when a window, its prediction included, is so long. */
  readonly thresholds: readonly {
    readonly events: number;
    readonly users: number;
    readonly trainingExamples: number;
  }[];
}

/**
 * Counts what the paper's protocol makes of timelines.
 *
 * @param items Number of items of the catalogue.
 */
export function paperCounts(timelines: Timelines, items: number): PaperCounts {
  const { split, window, minimumEvents } = checkedRecipe({ ...paperProtocol, batchSize: 1 });
  const count = (part: 'train' | 'test') => planWindows(timelines, split, part, window, minimumEvents).count;
  const lengths = Array.from({ length: timelines.users }, (_, user) => timelines.lengthOf(user));
  const thresholds = [50, 51, 52].map((events) => {
    const kept = lengths.filter((length) => length >= events);
    return { events, users: kept.length, trainingExamples: kept.reduce((sum, length) => sum + length - events, 0) };
  });
  return {
    rawEvents: timelines.events,
    rawUsers: timelines.users,
    users: count('test'),
    items,
    trainingExamples: count('train'),
    thresholds,
  };
}

/** The counts as lines to print; on a data set with published counts, each beside the one published. */
export function formatPaperCounts(found: PaperCounts, published: PublishedCounts = publishedMovieLens20M): string {
  const known = found.rawEvents === published.rawEvents && found.rawUsers === published.rawUsers;
  const line = (name: string, number: number, beside: number) => {
    const percent = ((100 * (number - beside)) / beside).toFixed(2);
    return `${name.padEnd(22)}${group(number).padStart(12)}${known ? `   published ${group(beside)} (${percent}%)` : ''}`;
  };
  return [
    known ? `The paper's protocol on ${published.name}: found and published` : "The paper's protocol on these events",
    line('users = test examples', found.users, published.users),
    line('items', found.items, published.items),
    line('training examples', found.trainingExamples, published.trainingExamples),
    ...found.thresholds.map(
      ({ events, users, trainingExamples }) =>
        `  with at least ${events} events: ${group(users)} users, ${group(trainingExamples)} training examples`,
    ),
  ].join('\n');
}

function group(number: number): string {
  return number.toLocaleString('en-US');
}

import type { BatchRecipe } from './batch-recipe.js';

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

/** Published counts, and the raw size by which the data set is told. */
export interface PublishedCounts extends ProtocolCounts {
  readonly name: string;
  /** Rows of the raw file of events. */
  readonly rawEvents: number;
}

/**
 * Counts of MovieLens-20M: the raw size as GroupLens gives it, the others as SeqLLM (arXiv 2608.03063) reports them for
 * the protocol of User-LLM.
 */
export const publishedMovieLens20M: PublishedCounts = {
  name: 'MovieLens-20M',
  rawEvents: 20_000_263,
  users: 82_977,
  items: 27_280,
  trainingExamples: 13_821_405,
};

/** The counts that `paperProtocol` gives, and those of the thresholds and windows around it. */
export interface PaperCounts extends ProtocolCounts {
  /** Users with at least so many events, and training examples when a window, its prediction included, is so long. */
  readonly thresholds: readonly {
    readonly events: number;
    readonly users: number;
    readonly trainingExamples: number;
  }[];
}

/**
 * Counts what the paper's protocol makes of a data set.
 *
 * @param lengths Number of events of each user.
 * @param items Number of items of the catalogue.
 */
export function paperCounts(lengths: Iterable<number>, items: number): PaperCounts {
  const all = [...lengths];
  // Windows that slide by one over `length` events, less the one that is tested.
  const count = (minimum: number, window: number) => {
    const kept = all.filter((length) => length >= minimum);
    return { users: kept.length, trainingExamples: kept.reduce((sum, length) => sum + length - window, 0) };
  };
  return {
    ...count(paperProtocol.minimumEvents, historyLength + 1),
    items,
    thresholds: [50, 51, 52].map((events) => ({ events, ...count(events, events) })),
  };
}

/**
 * The counts as lines to print.
 *
 * @param published Published counts of the same data set, each to stand beside the one found.
 */
export function formatPaperCounts(found: PaperCounts, published?: PublishedCounts): string {
  const line = (name: string, key: keyof ProtocolCounts) => {
    const counted = `${name.padEnd(22)}${group(found[key]).padStart(12)}`;
    if (published === undefined) return counted;
    const percent = (100 * (found[key] - published[key])) / published[key];
    return `${counted}   published ${group(published[key])} (${percent >= 0 ? '+' : ''}${percent.toFixed(2)}%)`;
  };
  return [
    published
      ? `The paper's protocol on ${published.name}, found and published`
      : "The paper's protocol on these events",
    line('users = test examples', 'users'),
    line('items', 'items'),
    line('training examples', 'trainingExamples'),
    ...found.thresholds.map(
      ({ events, users, trainingExamples }) =>
        `  with at least ${events} events: ${group(users)} users, ${group(trainingExamples)} training examples`,
    ),
  ].join('\n');
}

function group(number: number): string {
  return number.toLocaleString('en-US');
}

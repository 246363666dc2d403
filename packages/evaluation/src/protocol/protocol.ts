import type { History } from '@user-llm/plugin';
import { targetRange, timeSplit, Timelines, type Part, type Split } from '@user-llm/tokenization';
import type { EvaluationData } from '../data/evaluation-data.js';

/** Each user's last event is the test, the one before it validates, the others train. */
export const leaveLastOut: Split & { readonly kind: 'leave-last-out' } = {
  kind: 'leave-last-out',
  validation: 1,
  seed: 0,
};

/**
 * One moment for all users: what comes after it is the test.
 *
 * @param shares Shares of all events for validation and test; a tenth each when absent.
 */
export function globalTime(
  { histories }: EvaluationData,
  { validation = 0.1, test = 0.1 }: { readonly validation?: number; readonly test?: number } = {},
): Split & { readonly kind: 'time' } {
  return timeSplit(timesOf(histories), validation, test);
}

/**
 * Users that training never sees: shares of them chosen by a hash of their ids.
 *
 * @param shares A tenth each when absent.
 */
export function heldOutUsers({
  validation = 0.1,
  test = 0.1,
  seed = 0,
}: { readonly validation?: number; readonly test?: number; readonly seed?: number } = {}): Split & {
  readonly kind: 'held-out-users';
} {
  return { kind: 'held-out-users', validation, test, seed };
}

/**
 * Where each user is asked, or nothing where they cannot be: leave-last-out asks about the part's event; a time split
 * about the first event after the moment; held-out users about their last.
 *
 * @returns A position in each history, at least 1: events before it are known, whatever part they are in.
 */
export function positionsAsked(
  histories: readonly History[],
  split: Split,
  part: Exclude<Part, 'train'> = 'test',
): (number | undefined)[] {
  const times = timesOf(histories);
  return histories.map((_, user) => {
    const { from, to } = targetRange(times, user, split, part);
    if (from >= to) return undefined;
    return split.kind === 'held-out-users' ? to - 1 : from;
  });
}

/**
 * What may be learned from: each history's events of the training part.
 *
 * @param part `train`, or `validation` for all that comes before the test.
 */
export function trainingHistories(
  { histories }: EvaluationData,
  split: Split,
  part: 'train' | 'validation' = 'train',
): History[] {
  const times = timesOf(histories);
  return histories.flatMap(({ user, events }, index) => {
    const ranges = (part === 'train' ? ['train'] : ['train', 'validation']) as Part[];
    const end = Math.max(...ranges.map((each) => lastLearned(times, index, split, each)));
    return end > 0 ? [{ user, events: events.slice(0, end) }] : [];
  });
}

function lastLearned(times: Timelines, user: number, split: Split, part: Part): number {
  const { from, to } = targetRange(times, user, split, part);
  // Of a held-out user nothing is learned; of others the first event is, though nothing can predict it.
  return split.kind === 'held-out-users' && from >= to ? 0 : to;
}

/** Users and times as timelines without features: enough for tokenization's splits, so that there is one rule for both. */
function timesOf(histories: readonly History[]): Timelines {
  const offsets = new Int32Array(histories.length + 1);
  histories.forEach(({ events }, user) => {
    offsets[user + 1] = offsets[user]! + events.length;
  });
  const times = new Float64Array(offsets.at(-1)!);
  histories.forEach(({ events }, user) => {
    events.forEach(({ time }, position) => (times[offsets[user]! + position] = time));
  });
  return new Timelines({
    users: histories.map(({ user }) => user),
    offsets,
    times,
    itemRows: new Int32Array(0),
    features: [],
    eventColumns: {},
    itemColumns: {},
  });
}

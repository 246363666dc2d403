import type { Event, History } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import type { Candidate } from '../candidates/candidate.js';
import type { EvaluationData } from '../data/evaluation-data.js';
import { itemPopularity } from './popularity.js';

/** How far the Markov floor looks. */
export interface MarkovOptions {
  /** Steps within which one item leads to another; 5 when absent. */
  readonly window?: number;
  /** Last items of a history that vote; 5 when absent. */
  readonly votes?: number;
  /** Added to an item's popularity under the root; 10 when absent. */
  readonly smoothing?: number;
}

/**
 * The Markov floor: directed co-occurrence.
 *
 * `score(j) = sum over the last votes d = 1.. of 1/d * c(i_d, j) / sqrt(popularity(j) + smoothing)`, where `i_d` is the
 * item `d` events ago and `c(i, j)` the sum of `1 / distance` over all places in training histories where `j` follows
 * `i` within `window` steps. It is fitted in a second and beats many published models.
 *
 * @throws UserLlmError `bad-options` for a window or number of votes that is no whole number from 1.
 */
export function markovCandidate(
  data: EvaluationData,
  training: readonly History[],
  { window = 5, votes = 5, smoothing = 10 }: MarkovOptions = {},
): Candidate {
  for (const [what, value] of Object.entries({ window, votes })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new UserLlmError('bad-options', {
      what: `markov ${what}`,
      expected: 'a whole number from 1',
      got: String(value),
    });
  }
  const occurrences = indexOccurrences(data, training);
  const damping = itemPopularity(data, training).map((count) => 1 / Math.sqrt(count + smoothing));
  const scoresOf = (history: readonly Event[]): Float64Array => {
    const scores = new Float64Array(data.items.length);
    for (let back = 1; back <= Math.min(votes, history.length); back++) {
      const item = data.places.get(history.at(-back)!.item);
      if (item !== undefined) addFollowers(occurrences, item, window, 1 / back, scores);
    }
    return scores.map((score, item) => score * damping[item]!);
  };
  return {
    name: 'markov',
    description: `directed co-occurrence within ${window} steps; the last ${votes} items vote`,
    kind: 'baseline',
    rank: (questions) =>
      Promise.resolve(questions.map(({ example }) => ({ kind: 'scores' as const, scores: scoresOf(example.history) }))),
  };
}

/** Where every item occurs: co-occurrence is counted when it is asked for, so that memory grows with events only. */
interface Occurrences {
  /** Items of all histories, one after the other, each ended by -1. */
  readonly sequence: Int32Array;
  /** Positions in `sequence` of item `i`: `positions[starts[i]] .. positions[starts[i + 1]]`. */
  readonly positions: Int32Array;
  readonly starts: Int32Array;
}

function indexOccurrences({ places, items }: EvaluationData, histories: readonly History[]): Occurrences {
  const length = histories.reduce((sum, { events }) => sum + events.length + 1, 0);
  const sequence = new Int32Array(length);
  const starts = new Int32Array(items.length + 1);
  let at = 0;
  for (const { events } of histories) {
    for (const { item } of events) {
      const place = places.get(item)!;
      sequence[at++] = place;
      starts[place + 1]!++;
    }
    sequence[at++] = -1;
  }
  for (let item = 0; item < items.length; item++) starts[item + 1]! += starts[item]!;
  const next = starts.slice();
  const positions = new Int32Array(length - histories.length);
  sequence.forEach((item, position) => {
    if (item >= 0) positions[next[item]!++] = position;
  });
  return { sequence, positions, starts };
}

function addFollowers(
  { sequence, positions, starts }: Occurrences,
  item: number,
  window: number,
  weight: number,
  scores: Float64Array,
): void {
  for (let occurrence = starts[item]!; occurrence < starts[item + 1]!; occurrence++) {
    const position = positions[occurrence]!;
    for (let distance = 1; distance <= window; distance++) {
      const follower = sequence[position + distance]!;
      if (follower < 0) break;
      scores[follower]! += weight / distance;
    }
  }
}

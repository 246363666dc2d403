import type { History } from '@user-llm/plugin';
import type { Candidate } from '../candidates/candidate.js';
import type { EvaluationData } from '../data/evaluation-data.js';

/** Number of events of each item, `[N]`. */
export function itemPopularity(
  { places, items }: Pick<EvaluationData, 'places' | 'items'>,
  from: readonly History[],
): Float64Array {
  const counts = new Float64Array(items.length);
  for (const { events } of from) for (const { item } of events) counts[places.get(item)!]!++;
  return counts;
}

/** The same ranking for everyone: items by their number of training events. An encoder below it is a failed run. */
export function popularityCandidate(data: EvaluationData, training: readonly History[]): Candidate {
  const scores = itemPopularity(data, training);
  return {
    name: 'popularity',
    description: 'items by their number of training events, the same for everyone',
    kind: 'baseline',
    rank: (questions) => Promise.resolve(questions.map(() => ({ kind: 'scores' as const, scores }))),
  };
}

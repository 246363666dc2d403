import { rankOf } from '@user-llm/tasks';
import { UserLlmError } from '@user-llm/tensor';
import type { Ranking } from '../candidates/candidate.js';
import type { EvaluationData } from '../data/evaluation-data.js';
import type { TestQuestion } from '../protocol/questions.js';

/**
 * Where the true item came among all items that the user has not seen, from 1; ties count against the candidate, and
 * what a list leaves out has rank infinity.
 *
 * @param candidate Its name, for errors.
 * @throws UserLlmError `bad-ranking` for scores of another number of items, or a list with an unknown item or one twice;
 *   `bad-target` when the true item is not in the data; `score-not-a-number`.
 */
export function rankAnswer(
  data: Pick<EvaluationData, 'items' | 'places'>,
  { example, seen }: TestQuestion,
  ranking: Ranking,
  candidate: string,
): number {
  const target = example.item;
  const place = target === undefined ? undefined : data.places.get(target);
  if (target === undefined || place === undefined) {
    throw new UserLlmError('bad-target', {
      what: `question of user ${example.user}`,
      expected: 'a true item of the data set',
      got: target ?? 'none',
    });
  }
  if (ranking.kind === 'list') return rankInList(data, target, seen, ranking.items, candidate);
  if (ranking.scores.length !== data.items.length) {
    throw badRanking(candidate, `scores of all ${data.items.length} items`, `${ranking.scores.length} scores`);
  }
  const excluded: number[] = [];
  for (const item of seen) excluded.push(data.places.get(item)!);
  return rankOf(ranking.scores, place, { excluded });
}

function rankInList(
  data: Pick<EvaluationData, 'places'>,
  target: string,
  seen: ReadonlySet<string>,
  items: readonly string[],
  candidate: string,
): number {
  const met = new Set<string>();
  let rank = 0;
  let found = Infinity;
  for (const item of items) {
    if (!data.places.has(item)) throw badRanking(candidate, 'items of the data set', JSON.stringify(item));
    if (met.has(item)) throw badRanking(candidate, 'every item at most once', `${JSON.stringify(item)} twice`);
    met.add(item);
    if (item !== target && seen.has(item)) continue;
    rank++;
    if (item === target) found = rank;
  }
  return found;
}

function badRanking(candidate: string, expected: string, got: string): UserLlmError {
  return new UserLlmError('bad-ranking', { what: `ranking of candidate ${JSON.stringify(candidate)}`, expected, got });
}

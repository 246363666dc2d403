import { UserLlmError } from '@user-llm/tensor';

/** Which candidates do not count, such as reserved ids and items the user has had. */
export interface RankOptions {
  /** Candidates that are left out; the target itself always counts. */
  readonly excluded?: Iterable<number>;
}

/**
 * The rank of the true item among all candidates: 1 plus the number of others that score at least as high, so that ties
 * count against the model.
 *
 * @param scores One score per candidate id, `[N]`; minus infinity is allowed.
 * @param target The true item's id.
 * @throws UserLlmError `bad-target` when it is no candidate, `score-not-a-number` when a score is NaN.
 */
export function rankOf(scores: ArrayLike<number>, target: number, { excluded = [] }: RankOptions = {}): number {
  const own = scores[target];
  if (own === undefined) {
    throw new UserLlmError('bad-target', {
      what: 'rank of the true item',
      expected: `an id from 0 to ${scores.length - 1}`,
      got: String(target),
    });
  }
  let rank = 0;
  for (let candidate = 0; candidate < scores.length; candidate++) {
    const score = scores[candidate]!;
    if (Number.isNaN(score)) throw notANumber(candidate);
    if (score >= own) rank++;
  }
  for (const candidate of new Set(excluded)) {
    if (candidate !== target && scores[candidate] !== undefined && scores[candidate] >= own) rank--;
  }
  return rank;
}

function notANumber(candidate: number): UserLlmError {
  return new UserLlmError('score-not-a-number', {
    what: 'rank of the true item',
    expected: 'a score for every candidate',
    got: `NaN for candidate ${candidate}`,
    mend: 'The model has diverged, or a score was never written.',
  });
}

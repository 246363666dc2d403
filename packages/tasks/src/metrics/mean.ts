import type { Score } from '@user-llm/plugin';

/** The score that is the mean of the answers' own; `NaN` for no answers. */
export function meanScore(each: readonly number[]): Score {
  return { value: each.reduce((sum, score) => sum + score, 0) / each.length, each };
}

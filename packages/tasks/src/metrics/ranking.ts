import type { Metric, RankedAnswer } from '@user-llm/plugin';
import { checkedCutoff } from './cutoff.js';
import { meanScore } from './mean.js';

type RankingMetric = Metric<'item'>;

/** A ranking metric that is the mean over users of something about the ranks of their true items. */
function rankingMetric(name: string, k: number, one: (ranks: readonly number[], k: number) => number): RankingMetric {
  const cutoff = checkedCutoff(name, k);
  return {
    specVersion: 1,
    name: `${name}@${cutoff}`,
    answers: 'item',
    higherIsBetter: true,
    score: (answers: readonly RankedAnswer[]) => meanScore(answers.map(({ ranks }) => one(ranks, cutoff))),
  };
}

/** Share of a user's true items among the top `k`; with one true item it equals the hit rate. */
export function recallAt(k: number): RankingMetric {
  return rankingMetric('recall', k, (ranks, top) => ranks.filter((rank) => rank <= top).length / ranks.length);
}

/** Share of users with a true item among the top `k`. */
export function hitRateAt(k: number): RankingMetric {
  return rankingMetric('hr', k, (ranks, top) => (ranks.some((rank) => rank <= top) ? 1 : 0));
}

/** Gain of the true items among the top `k`, each `1 / log2(1 + rank)`, over the gain of the best order there is. */
export function ndcgAt(k: number): RankingMetric {
  return rankingMetric('ndcg', k, (ranks, top) => {
    const gain = ranks.reduce((sum, rank) => sum + (rank <= top ? 1 / Math.log2(1 + rank) : 0), 0);
    let best = 0;
    for (let rank = 1; rank <= Math.min(top, ranks.length); rank++) best += 1 / Math.log2(1 + rank);
    return gain / best;
  });
}

/** One over the rank of the first true item, 0 when it is not among the top `k`. */
export function reciprocalRankAt(k: number): RankingMetric {
  return rankingMetric('mrr', k, (ranks, top) => {
    const first = Math.min(...ranks);
    return first <= top ? 1 / first : 0;
  });
}

import type { Metric } from '@user-llm/plugin';
import { checkedCutoff } from './cutoff.js';
import { nGramCounts } from './n-grams.js';
import { unicodeWords } from './unicode-words.js';

/**
 * Distinct n-grams of all predictions over all their n-grams, 0 to 1: near 0 when a model says the same to everybody
 * (Li et al., "A diversity-promoting objective function for neural conversation models", NAACL 2016). `NaN` when there
 * are no n-grams.
 */
export function distinct(order: number): Metric<'text'> {
  const checked = checkedCutoff('distinct', order);
  return {
    specVersion: 1,
    name: `distinct-${checked}`,
    answers: 'text',
    higherIsBetter: true,
    score: (answers) => {
      const seen = new Set<string>();
      let total = 0;
      for (const { prediction } of answers) {
        for (const [gram, count] of nGramCounts(unicodeWords(prediction), checked)) {
          seen.add(gram);
          total += count;
        }
      }
      return { value: seen.size / total };
    },
  };
}

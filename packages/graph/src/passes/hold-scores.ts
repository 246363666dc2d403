import type { Graph } from '../graph.js';
import { apply } from '../operator.js';
import { cachedAttentionOperator, type CachedAttentionAttributes } from '../operators/cached-attention.js';
import { rewrite } from '../rewrite.js';

/**
 * A graph whose cached attention may hold the scores of all pairs of tokens at once: faster than block by block up to some
 * thousand tokens, but its memory grows with their square, 4 bytes for each pair and head.
 */
export function holdScores(source: Graph): Graph {
  return rewrite(source, (node, inputs) => {
    if ((node.operator as unknown) !== cachedAttentionOperator) return undefined;
    const attributes = { ...(node.attributes as CachedAttentionAttributes), holdsScores: true };
    return apply(cachedAttentionOperator, inputs, attributes);
  });
}

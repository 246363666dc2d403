import {
  add,
  batchMatmul,
  batchMatmulTransposed,
  cast,
  concat,
  joinAxes,
  multiply,
  reshape,
  multiplySizes,
  softmax,
  splitAxis,
  subtract,
  transpose,
  type Float,
  type KeyValueCache,
  type Symbolic,
} from '@user-llm/graph';
import type { LayerCache } from '@user-llm/plugin';

// B batch, L new tokens, P places (cached ones and new tokens), H query heads, N key heads, S head size, Q is H * S, U is N * S.

/** What a score that must not count is lowered by. */
const veto = 1e30;

/** How heads share keys. */
export interface BranchingAttentionOptions {
  readonly heads: number;
  readonly keyValueHeads: number;
}

/**
 * Attention of new tokens to cached places and to each other, as a mask says: tokens of one row may belong to
 * different sequences that share what came before.
 *
 * @param query_BLQ `[B, L, H*S]`, turned by the tokens' own positions.
 * @param key_BLU `[B, L, N*S]`, and `value_BLU` the same.
 * @param cache Keys and values of earlier places; none when absent.
 * @param mask_BLP `[B, L, P]` or `[1, L, P]`: which places each token reads.
 * @returns What the queries read, `[B, L, H*S]`, and the cache with the new tokens behind all its places.
 */
export function branchingAttention(
  query_BLQ: Float<readonly ['batch', 'token', 'queryWidth']>,
  key_BLU: Float<readonly ['batch', 'token', 'keyValueWidth']>,
  value_BLU: Float<readonly ['batch', 'token', 'keyValueWidth']>,
  cache: LayerCache | undefined,
  mask_BLP: Symbolic<'bool', readonly ['batch', 'token', 'place']>,
  { heads, keyValueHeads }: BranchingAttentionOptions,
): { readonly mixed: Float<readonly ['batch', 'token', 'queryWidth']>; readonly cache: LayerCache } {
  const [batch, tokens, width] = query_BLQ.shape;
  const headSize = (width as number) / heads;
  const group = heads / keyValueHeads;
  const grown = (past: KeyValueCache<'batch'> | undefined, fresh_BLU: typeof key_BLU): KeyValueCache<'batch'> => {
    const fresh_BNPS = transpose(
      splitAxis(fresh_BLU, 'keyValueWidth', { keyValueHead: keyValueHeads, headSize }, [
        'batch',
        'token',
        'keyValueHead',
        'headSize',
      ]),
      ['batch', 'keyValueHead', 'token', 'headSize'],
    );
    const placed_BNPS = reshape(
      fresh_BNPS,
      ['batch', 'keyValueHead', 'place', 'headSize'],
      [batch!, keyValueHeads, tokens!, headSize],
    );
    return past ? concat([past, placed_BNPS], 'place') : placed_BNPS;
  };
  const keys_BNPS = grown(cache?.keys, key_BLU);
  const values_BNPS = grown(cache?.values, value_BLU);
  const places = keys_BNPS.shape[2]!;
  const query_BHLS = transpose(
    splitAxis(multiply(query_BLQ, headSize ** -0.5), 'queryWidth', { head: heads, headSize }, [
      'batch',
      'token',
      'head',
      'headSize',
    ]),
    ['batch', 'head', 'token', 'headSize'],
  );
  // Query heads that share a key head are rows of one product.
  const query_BNRS = reshape(
    query_BHLS,
    ['batch', 'keyValueHead', 'row', 'headSize'],
    [batch!, keyValueHeads, multiplySizes(tokens!, group), headSize],
  );
  const scores_BNRP = batchMatmulTransposed(query_BNRS, keys_BNPS);
  const scores_BHLP = reshape(scores_BNRP, ['batch', 'head', 'token', 'place'], [batch!, heads, tokens!, places]);
  const bias_BLP = multiply(subtract(cast(mask_BLP, 'float32'), 1), veto);
  const shares_BHLP = softmax(add(scores_BHLP, bias_BLP), 'place');
  const shares_BNRP = reshape(
    shares_BHLP,
    ['batch', 'keyValueHead', 'row', 'place'],
    [batch!, keyValueHeads, multiplySizes(tokens!, group), places],
  );
  const mixed_BNRS = batchMatmul(shares_BNRP, values_BNPS);
  const mixed_BHLS = reshape(mixed_BNRS, ['batch', 'head', 'token', 'headSize'], [batch!, heads, tokens!, headSize]);
  const mixed_BLHS = transpose(mixed_BHLS, ['batch', 'token', 'head', 'headSize']);
  return {
    mixed: joinAxes(mixed_BLHS, ['head', 'headSize'], 'queryWidth', ['batch', 'token', 'queryWidth']),
    cache: { keys: keys_BNPS, values: values_BNPS },
  };
}

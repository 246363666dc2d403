import {
  add,
  and,
  batchMatmul,
  batchMatmulTransposed,
  cast,
  concat,
  cumulativeSum,
  joinAxes,
  lessEqual,
  multiply,
  reshape,
  multiplySizes,
  softCap as bounded,
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

type Mask = Symbolic<'bool', readonly ['batch', 'token', 'place']>;

/** How heads share keys, and what they read. */
export interface BranchingAttentionOptions {
  readonly heads: number;
  readonly keyValueHeads: number;
  /** What scores are multiplied with. */
  readonly scale: number;
  /** How many places of its own sequence a token reads, its own included; all when absent. */
  readonly window?: number;
  /** Bound on scores, by tanh; none when absent. */
  readonly softCap?: number;
}

/**
 * The places of a mask that are the last ones, up to a window: those of a sequence stand in its order, whatever lies
 * between them.
 */
function withinWindow(mask_BLP: Mask, window: number): Mask {
  const read_BLP = cast(mask_BLP, 'int32');
  return and(mask_BLP, lessEqual(cumulativeSum(read_BLP, 'place', { reverse: true }), window));
}

/**
 * Attention of new tokens to cached places and to each other, as a mask says: tokens of one row may belong to
 * different sequences that share what came before.
 *
 * @param query_BLQ `[B, L, H*S]`, turned by the tokens' own positions.
 * @param key_BLU `[B, L, N*S]`, and `value_BLU` the same.
 * @param cache Keys and values of earlier places; none when absent.
 * @param mask_BLP `[B, L, P]` or `[1, L, P]`: which places are a token's sequence up to itself, in its order.
 * @returns What the queries read, `[B, L, H*S]`, and the cache with the new tokens behind all its places.
 */
export function branchingAttention(
  query_BLQ: Float<readonly ['batch', 'token', 'queryWidth']>,
  key_BLU: Float<readonly ['batch', 'token', 'keyValueWidth']>,
  value_BLU: Float<readonly ['batch', 'token', 'keyValueWidth']>,
  cache: LayerCache | undefined,
  mask_BLP: Mask,
  { heads, keyValueHeads, scale, window, softCap }: BranchingAttentionOptions,
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
    splitAxis(multiply(query_BLQ, scale), 'queryWidth', { head: heads, headSize }, [
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
  const capped_BNRP = softCap ? bounded(scores_BNRP, softCap) : scores_BNRP;
  const scores_BHLP = reshape(capped_BNRP, ['batch', 'head', 'token', 'place'], [batch!, heads, tokens!, places]);
  const read_BLP = window ? withinWindow(mask_BLP, window) : mask_BLP;
  const bias_BLP = multiply(subtract(cast(read_BLP, 'float32'), 1), veto);
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

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
  multiplySizes,
  reshape,
  softCap as bounded,
  softmax,
  split,
  splitAxis,
  subtract,
  transpose,
  type Float,
  type KeyValueCache,
  type Symbolic,
} from '@user-llm/graph';
import type { LayerCache } from '@user-llm/plugin';

// B batch, L new tokens, P places (shared ones, branches' and new tokens), H query heads, N key heads, R query heads of
// a key head and their tokens, S head size, Q is H * S, U is N * S.

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
 * different sequences that share what came before. What they share is read where it is, and never copied.
 *
 * @param query_BLQ `[B, L, H*S]`, turned by the tokens' own positions.
 * @param key_BLU `[B, L, N*S]`, and `value_BLU` the same.
 * @param shared Keys and values of the places that the sequences of a row share.
 * @param branches Keys and values of tokens that branched before.
 * @param mask_BLP `[B, L, P]` or `[1, L, P]`: which places are a token's sequence up to itself, in its order.
 * @returns What the queries read, `[B, L, H*S]`, and the branches with the new tokens behind them.
 */
export function branchingAttention(
  query_BLQ: Float<readonly ['batch', 'token', 'queryWidth']>,
  key_BLU: Float<readonly ['batch', 'token', 'keyValueWidth']>,
  value_BLU: Float<readonly ['batch', 'token', 'keyValueWidth']>,
  shared: LayerCache,
  branches: LayerCache,
  mask_BLP: Mask,
  { heads, keyValueHeads, scale, window, softCap }: BranchingAttentionOptions,
): { readonly mixed: Float<readonly ['batch', 'token', 'queryWidth']>; readonly branches: LayerCache } {
  const [batch, tokens, width] = query_BLQ.shape;
  const headSize = (width as number) / heads;
  const rows = multiplySizes(tokens!, heads / keyValueHeads);
  const grown = (past: KeyValueCache<'batch'>, fresh_BLU: typeof key_BLU): KeyValueCache<'batch'> => {
    const fresh_BNLS = transpose(
      splitAxis(fresh_BLU, 'keyValueWidth', { keyValueHead: keyValueHeads, headSize }, [
        'batch',
        'token',
        'keyValueHead',
        'headSize',
      ]),
      ['batch', 'keyValueHead', 'token', 'headSize'],
    );
    return concat([past, reshape(fresh_BNLS, past.axes, [batch!, keyValueHeads, tokens!, headSize])], 'place');
  };
  const own = { keys: grown(branches.keys, key_BLU), values: grown(branches.values, value_BLU) };
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
    [batch!, keyValueHeads, rows, headSize],
  );
  const scores_BNRP = concat(
    [batchMatmulTransposed(query_BNRS, shared.keys), batchMatmulTransposed(query_BNRS, own.keys)],
    'place',
  );
  const capped_BNRP = softCap ? bounded(scores_BNRP, softCap) : scores_BNRP;
  const places = scores_BNRP.shape[3]!;
  const scores_BHLP = reshape(capped_BNRP, ['batch', 'head', 'token', 'place'], [batch!, heads, tokens!, places]);
  const read_BLP = window ? withinWindow(mask_BLP, window) : mask_BLP;
  const bias_BLP = multiply(subtract(cast(read_BLP, 'float32'), 1), veto);
  const shares_BHLP = softmax(add(scores_BHLP, bias_BLP), 'place');
  const shares_BNRP = reshape(shares_BHLP, scores_BNRP.axes, [batch!, keyValueHeads, rows, places]);
  const [toShared_BNRP, toOwn_BNRP] = split(shares_BNRP, 'place', [shared.keys.shape[2]!, own.keys.shape[2]!]);
  const mixed_BNRS = add(batchMatmul(toShared_BNRP!, shared.values), batchMatmul(toOwn_BNRP!, own.values));
  const mixed_BHLS = reshape(mixed_BNRS, ['batch', 'head', 'token', 'headSize'], [batch!, heads, tokens!, headSize]);
  const mixed_BLHS = transpose(mixed_BHLS, ['batch', 'token', 'head', 'headSize']);
  return {
    mixed: joinAxes(mixed_BLHS, ['head', 'headSize'], 'queryWidth', ['batch', 'token', 'queryWidth']),
    branches: own,
  };
}

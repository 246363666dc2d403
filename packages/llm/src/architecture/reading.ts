import {
  add,
  attention,
  cachedAttention,
  range,
  reshape,
  type AttentionOptions,
  type Float,
  type Symbolic,
} from '@user-llm/graph';
import type { BranchStep, HiddenStates, LayerCache } from '@user-llm/plugin';
import { branchingAttention } from '../attention/branching-attention.js';

// B batch, L tokens.

/** `[batch, token, W]` */
export type Wide<W extends string> = Float<readonly ['batch', 'token', W]>;

/** Heads, scale, window and soft cap of a layer's attention. */
export type AttentionForm = Required<Pick<AttentionOptions, 'heads' | 'keyValueHeads' | 'scale'>> &
  Pick<AttentionOptions, 'window' | 'softCap'>;

/** How new positions read earlier ones: all at once, or from a cache. */
export interface Reading {
  /** `[token]` or `[batch, token]`: where the tokens stand. */
  readonly positions: Symbolic<'int32', readonly ['token']> | Symbolic<'int32', readonly ['batch', 'token']>;
  /** Queries, keys and values, turned, to what the queries read; `layer` counts from 0. */
  attend(
    layer: number,
    query: Wide<'queryWidth'>,
    key: Wide<'keyValueWidth'>,
    value: Wide<'keyValueWidth'>,
    form: AttentionForm,
  ): Wide<'queryWidth'>;
}

/** Positions 0, 1, 2 ...: every token reads itself and those before it. */
export function readAtOnce(hidden_BLD: HiddenStates): Reading {
  return {
    positions: range('token', hidden_BLD.shape[1]!),
    attend: (_layer, query, key, value, form) => attention(query, key, value, { ...form, causal: true }),
  };
}

/**
 * New positions behind cached ones.
 *
 * @param grown Where each layer's cache, with the new positions in it, is put.
 */
export function readFromCaches(
  hidden_BLD: HiddenStates,
  lengths_B: Symbolic<'int32', readonly ['batch']>,
  caches: readonly LayerCache[],
  grown: LayerCache[],
): Reading {
  const [batch, tokens] = hidden_BLD.shape;
  const lengths_B1 = reshape(lengths_B, ['batch', 'token'], [batch!, 1]);
  const places_1L = reshape(range('token', tokens!), ['batch', 'token'], [1, tokens!]);
  return {
    positions: add(lengths_B1, places_1L),
    attend: (layer, query, key, value, form) => {
      const read = cachedAttention(query, key, value, caches[layer]!, lengths_B, form);
      grown[layer] = { keys: read.keys, values: read.values };
      return read.mixed;
    },
  };
}

/**
 * New positions that branch, as `BranchStep` says.
 *
 * @param grown Where each layer's branches, with the new positions behind them, are put.
 */
export function readBranches({ positions, mask, caches, branches }: BranchStep, grown: LayerCache[]): Reading {
  return {
    positions,
    attend: (layer, query, key, value, form) => {
      const read = branchingAttention(query, key, value, caches[layer]!, branches[layer]!, mask, form);
      grown[layer] = read.branches;
      return read.mixed;
    },
  };
}

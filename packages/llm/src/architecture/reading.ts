import {
  add,
  attention,
  cachedAttention,
  joinAxes,
  range,
  reshape,
  rotary,
  splitAxis,
  type AttentionOptions,
  type Float,
  type RotaryOptions,
  type RotaryTables,
  type Symbolic,
} from '@user-llm/graph';
import type { BranchStep, HiddenStates, LayerCache } from '@user-llm/plugin';
import { branchingAttention } from '../attention/branching-attention.js';

// B batch, L tokens, H heads, S head size.

/** `[batch, token, W]` */
export type Wide<W extends string> = Float<readonly ['batch', 'token', W]>;

/** `[batch, token, head, headSize]` */
type Heads = Float<readonly ['batch', 'token', 'head', 'headSize']>;

/** Heads, scale, window and soft cap of a layer's attention, and how its queries and keys are turned. */
export type AttentionForm = Required<Pick<AttentionOptions, 'heads' | 'keyValueHeads' | 'scale'>> &
  Pick<AttentionOptions, 'window' | 'softCap'> & { readonly rotary?: RotaryOptions };

type Positions = Symbolic<'int32', readonly ['token']> | Symbolic<'int32', readonly ['batch', 'token']>;

/** How new positions read earlier ones: all at once, or from a cache. */
export interface Reading {
  /** `[token]` or `[batch, token]`: where the tokens stand. */
  readonly positions: Positions;
  /** Queries, keys and values to what the queries read; `layer` counts from 0. */
  attend(
    layer: number,
    query: Wide<'queryWidth'>,
    key: Wide<'keyValueWidth'>,
    value: Wide<'keyValueWidth'>,
    form: AttentionForm,
  ): Wide<'queryWidth'>;
}

/** Something that is done to each head, `[B, L, H, S]`. */
export function headwise<W extends string>(
  x_BLW: Wide<W>,
  sizes: { readonly head: number; readonly headSize: number },
  change: (x_BLHS: Heads) => Heads,
): Wide<W> {
  const width = x_BLW.axes[2];
  const x_BLHS = splitAxis(x_BLW as Float, width, sizes, ['batch', 'token', 'head', 'headSize'] as const) as Heads;
  return joinAxes(change(x_BLHS), ['head', 'headSize'], width, ['batch', 'token', width]) as Wide<W>;
}

/** Queries and keys turned by their positions, where the layer does so. */
function turned(
  query_BLQ: Wide<'queryWidth'>,
  key_BLU: Wide<'keyValueWidth'>,
  positions: Positions,
  { rotary: turn, heads, keyValueHeads }: AttentionForm,
): readonly [Wide<'queryWidth'>, Wide<'keyValueWidth'>] {
  if (!turn) return [query_BLQ, key_BLU];
  const headSize = (query_BLQ.shape[2] as number) / heads;
  const turnedHeads = <W extends string>(x_BLW: Wide<W>, head: number): Wide<W> =>
    headwise(x_BLW, { head, headSize }, (x_BLHS) =>
      rotary(x_BLHS, positions as Symbolic<'int32', readonly ['batch', 'token']>, turn),
    );
  return [turnedHeads(query_BLQ, heads), turnedHeads(key_BLU, keyValueHeads)];
}

/** Positions 0, 1, 2 ...: every token reads itself and those before it. */
export function readAtOnce(hidden_BLD: HiddenStates): Reading {
  const positions = range('token', hidden_BLD.shape[1]!);
  return {
    positions,
    attend: (_layer, query, key, value, { rotary: turn, ...form }) => {
      const [q, k] = turned(query, key, positions, { ...form, ...(turn && { rotary: turn }) });
      return attention(q, k, value, { ...form, causal: true });
    },
  };
}

/** What new positions behind cached ones are read with. */
export interface CachedReading {
  readonly lengths: Symbolic<'int32', readonly ['batch']>;
  readonly caches: readonly LayerCache[];
  /** Where each layer's cache, with the new positions in it, is put. */
  readonly grown: LayerCache[];
  /** Tables for attention to turn by itself; where there are none, heads are turned before. */
  tablesOf(turn: RotaryOptions): RotaryTables | undefined;
}

/** New positions behind cached ones. */
export function readFromCaches(hidden_BLD: HiddenStates, { lengths, caches, grown, tablesOf }: CachedReading): Reading {
  const [batch, tokens] = hidden_BLD.shape;
  const lengths_B1 = reshape(lengths, ['batch', 'token'], [batch!, 1]);
  const places_1L = reshape(range('token', tokens!), ['batch', 'token'], [1, tokens!]);
  const positions = add(lengths_B1, places_1L);
  return {
    positions,
    attend: (layer, query, key, value, form) => {
      const { rotary: turn, ...plain } = form;
      const tables = turn && tablesOf(turn);
      const [q, k] = tables ? [query, key] : turned(query, key, positions, form);
      const read = cachedAttention(q, k, value, caches[layer]!, lengths, {
        ...plain,
        ...(tables && { rotary: tables }),
      });
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
      const [q, k] = turned(query, key, positions, form);
      const read = branchingAttention(q, k, value, caches[layer]!, branches[layer]!, mask, form);
      grown[layer] = read.branches;
      return read.mixed;
    },
  };
}

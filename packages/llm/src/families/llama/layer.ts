import {
  add,
  attention,
  cachedAttention,
  joinAxes,
  matmulTransposed,
  multiply,
  range,
  reshape,
  rmsNorm,
  rotary,
  rotaryFrequencies,
  silu,
  splitAxis,
  type Float,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import type { BranchStep, HiddenStates, LanguageModelHooks, LayerCache } from '@user-llm/plugin';
import { branchingAttention } from '../../attention/branching-attention.js';
import { attentionSizes, type LlamaConfig } from './config.js';
import type { LlamaLayerParameters } from './parameters.js';

// B batch, L tokens, D model width, Q query width (heads by head size), U key-value width, F feed-forward width.

type Wide<W extends string> = Float<readonly ['batch', 'token', W]>;
type Queries = Wide<'queryWidth'>;
type Keys = Wide<'keyValueWidth'>;

/** How new positions read earlier ones: all at once, or from a cache. */
export interface Reading {
  /** `[token]` or `[batch, token]`: where the tokens stand. */
  readonly positions: Symbolic<'int32', readonly ['token']> | Symbolic<'int32', readonly ['batch', 'token']>;
  /** Queries, keys and values, turned, to what the queries read; `layer` counts from 0. */
  attend(layer: number, query: Queries, key: Keys, value: Keys): Queries;
}

/** Positions 0, 1, 2 ...: every token reads itself and those before it. */
export function readAtOnce(hidden_BLD: HiddenStates, config: LlamaConfig): Reading {
  const { heads, keyValueHeads } = attentionSizes(config);
  return {
    positions: range('token', hidden_BLD.shape[1]!),
    attend: (_layer, query, key, value) => attention(query, key, value, { heads, keyValueHeads, causal: true }),
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
  config: LlamaConfig,
): Reading {
  const { heads, keyValueHeads } = attentionSizes(config);
  const [batch, tokens] = hidden_BLD.shape;
  const lengths_B1 = reshape(lengths_B, ['batch', 'token'], [batch!, 1]);
  const places_1L = reshape(range('token', tokens!), ['batch', 'token'], [1, tokens!]);
  return {
    positions: add(lengths_B1, places_1L),
    attend: (layer, query, key, value) => {
      const read = cachedAttention(query, key, value, caches[layer]!, lengths_B, { heads, keyValueHeads });
      grown[layer] = { keys: read.keys, values: read.values };
      return read.mixed;
    },
  };
}

/**
 * New positions that branch, as `BranchStep` says.
 *
 * @param grown Where each layer's cache, with the new positions behind all its places, is put.
 */
export function readBranches(
  { positions, mask, caches }: BranchStep,
  grown: LayerCache[],
  config: LlamaConfig,
): Reading {
  const options = attentionSizes(config);
  return {
    positions,
    attend: (layer, query, key, value) => {
      const read = branchingAttention(query, key, value, caches?.[layer], mask, options);
      grown[layer] = read.cache;
      return read.mixed;
    },
  };
}

function turned<W extends string>(x_BLW: Wide<W>, heads: number, reading: Reading, config: LlamaConfig): Wide<W> {
  const { headSize } = attentionSizes(config);
  const width = x_BLW.axes[2];
  const x_BLHS = splitAxis(x_BLW as Float, width, { head: heads, headSize }, ['batch', 'token', 'head', 'headSize']);
  const turned_BLHS = rotary(x_BLHS, reading.positions as Symbolic<'int32', readonly ['batch', 'token']>, {
    frequencies: rotaryFrequencies(headSize, config.rotaryBase),
    interleaved: config.rotaryInterleaved,
  });
  return joinAxes(turned_BLHS, ['head', 'headSize'], width, ['batch', 'token', width]);
}

/**
 * One layer of a Llama: grouped-query attention and a gated feed-forward network, each behind an RMS norm.
 *
 * @param x_BLD `[batch, token, modelWidth]`
 * @param own The layer's parameters.
 * @param layer Its number, from 0.
 * @returns As `x_BLD`.
 */
export function llamaLayer(
  x_BLD: HiddenStates,
  own: SymbolicParameters<LlamaLayerParameters>,
  layer: number,
  reading: Reading,
  config: LlamaConfig,
  hooks: LanguageModelHooks,
): HiddenStates {
  const { heads, keyValueHeads } = attentionSizes(config);
  const epsilon = config.normEpsilon;
  const map = <I extends string, O extends string>(
    path: string,
    x_BLI: Wide<I>,
    { weight, bias }: { weight: Float<readonly [O, I]>; bias?: Float<readonly [O]> | undefined },
  ): Wide<O> => {
    const product_BLO = matmulTransposed(x_BLI as Float<readonly [...['batch', 'token'], I]>, weight) as Wide<O>;
    const mapped_BLO = bias ? (add(product_BLO as Float, bias as Float) as Wide<O>) : product_BLO;
    return hooks.linear ? hooks.linear(`model.layers.${layer}.${path}`, x_BLI, mapped_BLO) : mapped_BLO;
  };
  const { self_attn, mlp } = own;
  const normal_BLD = rmsNorm(x_BLD, own.input_layernorm.weight, epsilon);
  const query_BLQ = turned(map('self_attn.q_proj', normal_BLD, self_attn.q_proj), heads, reading, config);
  const key_BLU = turned(map('self_attn.k_proj', normal_BLD, self_attn.k_proj), keyValueHeads, reading, config);
  const value_BLU = map('self_attn.v_proj', normal_BLD, self_attn.v_proj);
  const mixed_BLQ = reading.attend(layer, query_BLQ, key_BLU, value_BLU);
  const attended_BLD = add(x_BLD, map('self_attn.o_proj', mixed_BLQ, self_attn.o_proj));
  const hooked_BLD = hooks.afterSelfAttention?.(attended_BLD, layer) ?? attended_BLD;
  const again_BLD = rmsNorm(hooked_BLD, own.post_attention_layernorm.weight, epsilon);
  const gate_BLF = silu(map('mlp.gate_proj', again_BLD, mlp.gate_proj));
  const wide_BLF = multiply(gate_BLF, map('mlp.up_proj', again_BLD, mlp.up_proj));
  return add(hooked_BLD, map('mlp.down_proj', wide_BLF, mlp.down_proj));
}

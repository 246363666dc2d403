import {
  add,
  attention,
  cachedAttention,
  matmulTransposed,
  parameter,
  range,
  reshape,
  split,
  type Float,
  type KeyValueCache,
  type ParameterSpec,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import { headSizeOf, turnHeads } from './heads.js';
import { zeros, type Initialization } from './initialization.js';
import { linear, type LinearParameters } from './linear.js';
import type { Width } from './width.js';

// B batch, T time, W width, A attention width (queries, keys and values side by side), H heads, M places of a cache, S head size.

/** Sizes of self-attention. */
export interface SelfAttentionConfig<W extends string> {
  readonly width: Width<W>;
  /** They divide the width. */
  readonly heads: number;
  /** Whether a place reads only those up to its own. */
  readonly causal: boolean;
  /** Base of rotary frequencies; no positions are turned when absent. */
  readonly rotaryBase?: number;
  readonly initialization: Initialization;
}

/** Parameters of self-attention, named as those of PyTorch's `MultiheadAttention`. */
export type SelfAttentionParameters<W extends string> = {
  readonly in_proj_weight: ParameterSpec<readonly ['attentionWidth', W]>;
  readonly in_proj_bias: ParameterSpec<readonly ['attentionWidth']>;
  readonly out_proj: LinearParameters<'attentionWidth', W>;
};

/** Keys and values of earlier places, each `[B, H, M, S]`. */
export interface AttentionCache<B extends string> {
  readonly keys: KeyValueCache<B>;
  readonly values: KeyValueCache<B>;
}

type Mixed<B extends string, T extends string> = Float<readonly [B, T, 'attentionWidth']>;

/** Self-attention of several heads. */
export interface SelfAttention<W extends string> {
  readonly parameters: SelfAttentionParameters<W>;
  /** @param x_BTW `[B, T, W]` @param mask_BT `[B, T]`, true where a place may be read; all when absent. @returns As `x_BTW`. */
  apply<B extends string, T extends string>(
    parameters: SymbolicParameters<SelfAttentionParameters<W>>,
    x_BTW: Float<readonly [B, T, W]>,
    mask_BT?: Symbolic<'bool', readonly [B, T]>,
  ): Float<readonly [B, T, W]>;
  /**
   * As a causal `apply` at new places after cached ones.
   *
   * @param x_BTW `[B, T, W]`, the new places
   * @param lengths_B `[B]`, how many came before
   */
  append<B extends string, T extends string>(
    parameters: SymbolicParameters<SelfAttentionParameters<W>>,
    x_BTW: Float<readonly [B, T, W]>,
    cache: AttentionCache<B>,
    lengths_B: Symbolic<'int32', readonly [B]>,
  ): { readonly mixed: Float<readonly [B, T, W]>; readonly cache: AttentionCache<B> };
}

/**
 * Multi-head self-attention (Vaswani et al. 2017), causal or not, with optional rotary positions.
 *
 * @throws UserLlmError `bad-config` when the heads do not divide the width.
 */
export function selfAttention<const W extends string>(config: SelfAttentionConfig<W>): SelfAttention<W> {
  const { width, heads, causal, rotaryBase, initialization } = config;
  headSizeOf('self-attention', width.size, heads);
  const out = linear({ axis: 'attentionWidth', size: width.size }, width, initialization);
  type Own = SymbolicParameters<SelfAttentionParameters<W>>;
  const joined = <B extends string, T extends string>(
    own: Own,
    x_BTW: Float<readonly [B, T, W]>,
    positions?: Symbolic<'int32'>,
  ) => {
    // Parameters are cut rather than what they make, which is much larger.
    const parts = [width.size, width.size, width.size];
    const weights = split(own.in_proj_weight as Float<readonly ['attentionWidth', W]>, 'attentionWidth', parts);
    const biases = split(own.in_proj_bias as Float<readonly ['attentionWidth']>, 'attentionWidth', parts);
    const [query, key, value] = weights.map(
      (weight, part) => add(matmulTransposed(x_BTW, weight as never) as Float, biases[part]! as never) as Mixed<B, T>,
    );
    const turned = (part: Mixed<B, T>): Mixed<B, T> =>
      rotaryBase === undefined ? part : turnHeads(part, heads, rotaryBase, positions);
    return { query: turned(query!), key: turned(key!), value: value! };
  };
  return {
    parameters: {
      in_proj_weight: parameter(
        ['attentionWidth', width.axis],
        [3 * width.size, width.size],
        initialization(width.size, width.size),
      ),
      in_proj_bias: parameter(['attentionWidth'], [3 * width.size], zeros),
      out_proj: out.parameters,
    },
    apply: (own, x_BTW, mask_BT) => {
      const { query, key, value } = joined(own, x_BTW);
      const [batch, time] = x_BTW.shape;
      const mask = mask_BT && reshape(mask_BT, ['batch', 'query', 'key'], [batch!, 1, time!]);
      return out.apply(own.out_proj, attention(query, key as never, value as never, { heads, causal }, mask));
    },
    append: (own, x_BTW, cache, lengths_B) => {
      const [batch, time] = x_BTW.axes;
      const places_B1 = reshape(lengths_B, [batch, time], [x_BTW.shape[0]!, 1]);
      const positions_BT = add(places_B1 as Symbolic<'int32'>, range(time, x_BTW.shape[1]!) as never);
      const { query, key, value } = joined(own, x_BTW, positions_BT as Symbolic<'int32'>);
      const { mixed, keys, values } = cachedAttention(query, key as never, value as never, cache, lengths_B, { heads });
      return { mixed: out.apply(own.out_proj, mixed), cache: { keys, values } };
    },
  };
}

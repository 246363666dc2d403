import { attention, reshape, type Float, type Symbolic, type SymbolicParameters } from '@user-llm/graph';
import { headSizeOf } from './heads.js';
import type { Initialization } from './initialization.js';
import { projection, type ProjectionParameters } from './linear.js';
import type { Width } from './width.js';

// B batch, Q queries, K keys, W width of what reads, C width of what is read, A attention width (heads * head size).

/** Sizes of cross-attention. */
export interface CrossAttentionConfig<W extends string, C extends string> {
  /** Width of what reads. */
  readonly width: Width<W>;
  /** Width of what is read. */
  readonly context: Width<C>;
  readonly heads: number;
  /** Width of one head; `width / heads` when absent. */
  readonly headSize?: number;
  readonly initialization: Initialization;
  /** How the way back starts; as the other maps when absent. */
  readonly outInitialization?: Initialization;
}

/** Parameters of cross-attention: queries, keys, values and the way back, without biases, so that reading nothing adds nothing. */
export type CrossAttentionParameters<W extends string, C extends string> = {
  readonly q_proj: ProjectionParameters<W, 'attentionWidth'>;
  readonly k_proj: ProjectionParameters<C, 'attentionWidth'>;
  readonly v_proj: ProjectionParameters<C, 'attentionWidth'>;
  readonly out_proj: ProjectionParameters<'attentionWidth', W>;
};

/** Keys and values of what is read, each `[B, K, A]`: computed once, read as often as one likes. */
export interface KeysAndValues<B extends string, K extends string> {
  readonly keys: Float<readonly [B, K, 'attentionWidth']>;
  readonly values: Float<readonly [B, K, 'attentionWidth']>;
}

/** Attention of one sequence to another. */
export interface CrossAttention<W extends string, C extends string> {
  readonly parameters: CrossAttentionParameters<W, C>;
  /** @param context `[B, K, C]` */
  keysAndValues<B extends string, K extends string>(
    parameters: SymbolicParameters<CrossAttentionParameters<W, C>>,
    context: Float<readonly [B, K, C]>,
  ): KeysAndValues<B, K>;
  /**
   * @param x `[B, Q, W]`
   * @param mask `[B, K]`, true where a key may be read; a row that may read none gets zeros.
   * @returns As `x`.
   */
  apply<B extends string, Q extends string, K extends string>(
    parameters: SymbolicParameters<CrossAttentionParameters<W, C>>,
    x: Float<readonly [B, Q, W]>,
    read: KeysAndValues<B, K>,
    mask?: Symbolic<'bool', readonly [B, K]>,
  ): Float<readonly [B, Q, W]>;
}

/**
 * Multi-head attention of one sequence to another, whose width may differ.
 *
 * @throws UserLlmError `bad-config` when the heads do not divide the width and no head size is given.
 */
export function crossAttention<const W extends string, const C extends string>(
  config: CrossAttentionConfig<W, C>,
): CrossAttention<W, C> {
  const { width, context, heads, initialization, outInitialization = initialization } = config;
  const size = heads * (config.headSize ?? headSizeOf('cross-attention', width.size, heads));
  const inner = { axis: 'attentionWidth', size } as const;
  const query = projection(width, inner, initialization);
  const key = projection(context, inner, initialization);
  const value = projection(context, inner, initialization);
  const out = projection(inner, width, outInitialization);
  return {
    parameters: {
      q_proj: query.parameters,
      k_proj: key.parameters,
      v_proj: value.parameters,
      out_proj: out.parameters,
    },
    keysAndValues: (own, read) => ({ keys: key.apply(own.k_proj, read), values: value.apply(own.v_proj, read) }),
    apply: (own, x, { keys, values }, mask_BK) => {
      const [batch, places] = keys.shape;
      const mask = mask_BK && reshape(mask_BK, ['batch', 'query', 'key'], [batch!, 1, places!]);
      const mixed = attention(query.apply(own.q_proj, x), keys as never, values as never, { heads }, mask);
      return out.apply(own.out_proj, mixed);
    },
  };
}

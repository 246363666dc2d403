import { add, type Float, type Symbolic, type SymbolicParameters } from '@user-llm/graph';
import { noDropout, type Dropout } from './dropout-streams.js';
import { feedForward, type Activation, type FeedForwardParameters } from './feed-forward.js';
import type { Initialization } from './initialization.js';
import { layerNormalization, type LayerNormParameters } from './norm.js';
import { selfAttention, type AttentionCache, type SelfAttentionParameters } from './self-attention.js';
import type { Width } from './width.js';

// B batch, T time, W width.

/** Sizes of a pre-norm Transformer. */
export interface TransformerConfig<W extends string> {
  readonly width: Width<W>;
  readonly layers: number;
  /** Heads of attention; they divide the width. */
  readonly heads: number;
  /** Width between the two maps of a feed-forward network. */
  readonly feedForward: number;
  readonly activation: Activation;
  /** Whether a place reads only those up to its own. */
  readonly causal: boolean;
  /** Base of rotary frequencies; no positions are turned when absent. */
  readonly rotaryBase?: number;
  /** Added to variances in layer norms. */
  readonly epsilon: number;
  readonly initialization: Initialization;
  /** Share of what a layer adds that is dropped in training. */
  readonly dropout: number;
}

/** Parameters of one block, named as those of PyTorch's `TransformerEncoderLayer`. */
export type BlockParameters<W extends string> = {
  readonly norm1: LayerNormParameters<W>;
  readonly self_attn: SelfAttentionParameters<W>;
  readonly norm2: LayerNormParameters<W>;
} & FeedForwardParameters<W>;

/** Parameters of a stack of blocks, named as those of PyTorch's `TransformerEncoder`. */
export type TransformerParameters<W extends string> = {
  readonly layers: Readonly<Record<string, BlockParameters<W>>>;
  readonly norm: LayerNormParameters<W>;
};

/** How a Transformer is applied. */
export interface TransformerOptions<B extends string, T extends string> {
  /** `[B, T]`, true where a place may be read; all when absent. With rows filled from the start a causal one needs none. */
  readonly mask?: Symbolic<'bool', readonly [B, T]>;
  readonly dropout?: Dropout;
}

/** A pre-norm Transformer. */
export interface Transformer<W extends string> {
  readonly parameters: TransformerParameters<W>;
  /** @param x_BTW `[B, T, W]` @returns As `x_BTW`, after a last norm. */
  apply<B extends string, T extends string>(
    parameters: SymbolicParameters<TransformerParameters<W>>,
    x_BTW: Float<readonly [B, T, W]>,
    options?: TransformerOptions<B, T>,
  ): Float<readonly [B, T, W]>;
  /**
   * As a causal `apply` at new places after cached ones, without dropout.
   *
   * @param caches One per layer, with room for the new places.
   * @param lengths_B `[B]`, how many places came before.
   */
  append<B extends string, T extends string>(
    parameters: SymbolicParameters<TransformerParameters<W>>,
    x_BTW: Float<readonly [B, T, W]>,
    caches: readonly AttentionCache<B>[],
    lengths_B: Symbolic<'int32', readonly [B]>,
  ): { readonly x: Float<readonly [B, T, W]>; readonly caches: readonly AttentionCache<B>[] };
}

/**
 * A stack of Transformer blocks with a layer norm before each part and one at the end (Xiong et al. 2020).
 *
 * @throws UserLlmError `bad-config` when the heads do not divide the width.
 */
export function transformer<const W extends string>(config: TransformerConfig<W>): Transformer<W> {
  const { width, layers, epsilon, dropout: rate } = config;
  const norm = layerNormalization(width, epsilon);
  const read = selfAttention(config);
  const forward = feedForward({ ...config, hidden: config.feedForward });
  type Block = SymbolicParameters<BlockParameters<W>>;
  type Blocks = Readonly<Record<string, Block>>;
  const block: BlockParameters<W> = {
    norm1: norm.parameters,
    self_attn: read.parameters,
    norm2: norm.parameters,
    ...forward.parameters,
  };
  const last = <X extends Float<readonly [string, string, W]>>(x: X, own: Block, drop: Dropout): X =>
    add(x as Float, drop(forward.apply(own as never, norm.apply(own.norm2 as never, x)) as Float, rate)) as X;
  return {
    parameters: {
      layers: Object.fromEntries(Array.from({ length: layers }, (_, layer) => [`${layer}`, block])),
      norm: norm.parameters,
    },
    apply: (own, first_BTW, { mask, dropout: drop = noDropout } = {}) => {
      const end_BTW = Object.values(own.layers as Blocks).reduce((x_BTW, layer) => {
        const mixed_BTW = read.apply(layer.self_attn as never, norm.apply(layer.norm1 as never, x_BTW), mask);
        return last(add(x_BTW as Float, drop(mixed_BTW as Float, rate)) as typeof x_BTW, layer, drop);
      }, first_BTW);
      return norm.apply(own.norm as never, end_BTW);
    },
    append: <B extends string, T extends string>(
      own: SymbolicParameters<TransformerParameters<W>>,
      first_BTW: Float<readonly [B, T, W]>,
      caches: readonly AttentionCache<B>[],
      lengths_B: Symbolic<'int32', readonly [B]>,
    ) => {
      const grown: AttentionCache<B>[] = [];
      const end_BTW = Object.values(own.layers as Blocks).reduce((x_BTW, layer, at) => {
        const normal_BTW = norm.apply(layer.norm1 as never, x_BTW);
        const { mixed, cache } = read.append(layer.self_attn as never, normal_BTW, caches[at]!, lengths_B);
        grown.push(cache);
        return last(add(x_BTW as Float, mixed as Float) as typeof x_BTW, layer, noDropout);
      }, first_BTW);
      return { x: norm.apply(own.norm as never, end_BTW), caches: grown };
    },
  };
}

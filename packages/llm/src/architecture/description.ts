import type { RotaryOptions } from '@user-llm/graph';

/** A norm of the last axis. */
export interface NormDescription {
  /** `rms`: root mean square, with gains (Zhang and Sennrich 2019); `layer`: mean and variance, with gains and biases (Ba et al. 2016). */
  readonly kind: 'rms' | 'layer';
  /** Added to mean squares or variances. */
  readonly epsilon: number;
  /** Whether gains are stored as what they differ from 1 by, as Gemma's. */
  readonly gainsFromOne?: boolean;
}

/** What stands between the maps of a feed-forward network: `gelu` is exact, `gelu-tanh` its approximation. */
export type ActivationKind = 'silu' | 'gelu' | 'gelu-tanh' | 'relu';

/** The linear maps of a layer. */
export type LayerMap = 'q_proj' | 'k_proj' | 'v_proj' | 'o_proj' | 'gate_proj' | 'up_proj' | 'down_proj';

/** What may differ from one layer to the next. */
export interface LayerDescription {
  /** What scores of attention are multiplied with. */
  readonly attentionScale: number;
  /** How many tokens back a token reads, its own included; all when absent. */
  readonly window?: number;
  /** How heads of queries and keys are turned by positions; not at all when absent. */
  readonly rotary?: RotaryOptions;
}

/**
 * What a decoder-only Transformer is made of. A family fills it in from its config; `buildDecoder` makes the graphs of
 * it: attention and a feed-forward network per layer, each in a residual of its own, a last norm and an output layer.
 */
export interface DecoderDescription {
  /** Name of the family, for messages. */
  readonly name: string;
  readonly vocabularySize: number;
  /** Width of hidden states. */
  readonly width: number;
  /** Query heads, and key and value heads, each shared by as many query heads. */
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** Positions that it is made for. */
  readonly maximumTokens: number;
  readonly layers: readonly LayerDescription[];
  readonly norm: NormDescription;
  /** Where a layer has norms: before attention and feed-forward network, or before and after each. */
  readonly norms: 'before' | 'around';
  /** Norm of each head of queries and keys, before they are turned. */
  readonly headNorm?: NormDescription;
  /** Bound on scores of attention, by tanh. */
  readonly attentionSoftCap?: number;
  readonly feedForward: {
    /** Width between the maps, in numbers. */
    readonly width: number;
    readonly activation: ActivationKind;
    /** Whether the activation of one map gates another (Shazeer 2020). */
    readonly gated: boolean;
  };
  /** Linear maps that have biases. */
  readonly biases: readonly LayerMap[];
  /** What embeddings of tokens are multiplied with. */
  readonly embeddingScale?: number;
  /** Whether a table of positions is added to what enters the first layer. */
  readonly learnedPositions?: boolean;
  /** Whether the output layer is the embedding table. */
  readonly tiedEmbedding: boolean;
  /** Bound on logits, by tanh. */
  readonly logitSoftCap?: number;
  /** Standard deviation of the first values of matrices. */
  readonly deviation: number;
}

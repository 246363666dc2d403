import {
  add,
  cast,
  max,
  multiply,
  parameter,
  reshape,
  tanh,
  type Float,
  type FloatScalar,
  type ParameterSpec,
  type SymbolicParameters,
} from '@user-llm/graph';
import {
  crossAttention,
  headSizeOf,
  layerNormalization,
  normalInitialization,
  feedForward,
  xavierInitialization,
  type CrossAttentionParameters,
  type FeedForwardParameters,
  type KeysAndValues,
  type LayerNormParameters,
} from '@user-llm/layers';
import type { HiddenStates, UserLatents } from '@user-llm/plugin';
import type { CrossAttentionConfig } from './cross-attention-config.js';

// B batch, L tokens, K latents, S width of what keys and values are made of, D width of the LLM.

/** Parameters of the cross-attention in one layer; its gate is a number. */
export type CrossAttentionLayerParameters = {
  readonly norm: LayerNormParameters<'modelWidth'>;
  readonly cross_attn: CrossAttentionParameters<'modelWidth', 'sourceWidth'>;
  readonly gate: ParameterSpec<readonly []>;
};

/** Parameters of the feed-forward network that may follow it; its gate is a number. */
export type GatedFeedForwardParameters = {
  readonly norm: LayerNormParameters<'modelWidth'>;
  readonly gate: ParameterSpec<readonly []>;
} & FeedForwardParameters<'modelWidth'>;

/** All parameters of one layer; `feed_forward` is there where the config asks for it. */
type LayerTree = CrossAttentionLayerParameters & { readonly feed_forward: GatedFeedForwardParameters };

/** The parameters of one layer in a graph. */
export type LayerInputs = SymbolicParameters<LayerTree>;

/** What one layer of an LLM reads of users: keys and values, each `[B, K, attention width]`. */
export type LayerContext = KeysAndValues<'batch', 'latent'>;

/** The gated cross-attention of one layer of an LLM. */
export interface CrossAttentionLayer {
  readonly parameters: CrossAttentionLayerParameters;
  /** @param source_BKS What keys and values are made of. */
  context(own: LayerInputs, source_BKS: Float<readonly ['batch', 'latent', 'sourceWidth']>): LayerContext;
  /** The hidden states with what was read of the user added: `[B, L, D]`. */
  apply(own: LayerInputs, hidden_BLD: HiddenStates, context: LayerContext, mask_BK: UserLatents['mask']): HiddenStates;
}

const epsilon = 1e-5;

/** `h + tanh(gate) * added`: `h` itself, bit for bit, where the gate or what is added is 0. */
function addGated(hidden_BLD: HiddenStates, gate: FloatScalar, added_BLD: HiddenStates): HiddenStates {
  return add(hidden_BLD, multiply(added_BLD, tanh(gate)));
}

/** 1 for each user with anything to read, else 0: `[B, 1, 1]`. */
function presence(mask_BK: UserLatents['mask']): HiddenStates {
  const present_B = max(cast(mask_BK, 'float32'), 'latent');
  return reshape(present_B, ['batch', 'token', 'modelWidth'], [mask_BK.shape[0]!, 1, 1]);
}

/**
 * Gated cross-attention of an LLM's tokens to a user (arXiv 2402.13598; Flamingo, Alayrac et al. 2022):
 * `h + tanh(gate) * attention(norm(h), keys, values)`, and on demand a gated feed-forward network after it.
 *
 * @throws UserLlmError `bad-config` when the heads do not divide the width of attention.
 */
export function crossAttentionLayer(
  config: CrossAttentionConfig,
  sourceWidth: number,
  modelWidth: number,
): CrossAttentionLayer {
  const { heads, deviation, feedForward: after } = config;
  const width = { axis: 'modelWidth', size: modelWidth } as const;
  const source = { axis: 'sourceWidth', size: sourceWidth } as const;
  const initialization = xavierInitialization();
  const norm = layerNormalization(width, epsilon);
  const headSize = headSizeOf('cross-attention', config.width ?? modelWidth, heads);
  const outInitialization = normalInitialization(deviation);
  const read = crossAttention({ width, context: source, heads, headSize, initialization, outInitialization });
  const forward = feedForward({
    width,
    hidden: after?.hidden ?? 4 * modelWidth,
    activation: after?.activation ?? 'gelu',
    initialization,
  });
  const gate = parameter([], [], { kind: 'constant', value: config.initialGate });
  const attentionParameters = { norm: norm.parameters, cross_attn: read.parameters, gate };
  const feed_forward: GatedFeedForwardParameters = { norm: norm.parameters, ...forward.parameters, gate };
  const parameters = after ? { ...attentionParameters, feed_forward } : attentionParameters;
  return {
    parameters,
    context: (own, source_BKS) => read.keysAndValues(own.cross_attn, source_BKS),
    apply: (own, hidden_BLD, context, mask_BK) => {
      const read_BLD = read.apply(own.cross_attn, norm.apply(own.norm, hidden_BLD), context, mask_BK);
      const attended_BLD = addGated(hidden_BLD, own.gate, read_BLD);
      if (!after) return attended_BLD;
      const { norm: ownNorm, gate: ownGate } = own.feed_forward;
      const thought_BLD = forward.apply(own.feed_forward, norm.apply(ownNorm, attended_BLD));
      return addGated(attended_BLD, ownGate, multiply(thought_BLD, presence(mask_BK)));
    },
  };
}

export {
  crossAttention,
  type CrossAttention,
  type CrossAttentionConfig,
  type CrossAttentionParameters,
  type KeysAndValues,
} from './cross-attention.js';
export { dropoutStreams, noDropout, randomStreams, type Dropout } from './dropout-streams.js';
export {
  activations,
  feedForward,
  type Activation,
  type FeedForward,
  type FeedForwardConfig,
  type FeedForwardParameters,
} from './feed-forward.js';
export { headSizeOf, turnHeads } from './heads.js';
export { normalInitialization, ones, xavierInitialization, zeros, type Initialization } from './initialization.js';
export {
  linear,
  projection,
  type Linear,
  type LinearParameters,
  type Projection,
  type ProjectionParameters,
} from './linear.js';
export {
  layerNormalization,
  rmsNormalization,
  type LayerNormalization,
  type LayerNormParameters,
  type RmsNormalization,
  type RmsNormParameters,
} from './norm.js';
export {
  selfAttention,
  type AttentionCache,
  type SelfAttention,
  type SelfAttentionConfig,
  type SelfAttentionParameters,
} from './self-attention.js';
export {
  transformer,
  type BlockParameters,
  type Transformer,
  type TransformerConfig,
  type TransformerOptions,
  type TransformerParameters,
} from './transformer.js';
export type { Width } from './width.js';

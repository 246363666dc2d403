import type { DecoderDescription } from '../../architecture/description.js';
import { headsOf } from '../config-fields.js';
import { decoderFamily } from '../decoder-family.js';
import { gpt2Config, type Gpt2Config } from './config.js';
import { gpt2Checkpoints } from './hugging-face.js';

function describeGpt2(config: Gpt2Config): DecoderDescription {
  const { vocabularySize, width, maximumTokens, tiedEmbedding, deviation } = config;
  const sizes = headsOf(config);
  return {
    name: 'gpt2',
    vocabularySize,
    width,
    ...sizes,
    maximumTokens,
    layers: Array.from({ length: config.layers }, (_, layer) => ({
      attentionScale: sizes.headSize ** -0.5 / (config.scoresByLayer ? layer + 1 : 1),
    })),
    norm: { kind: 'layer', epsilon: config.normEpsilon },
    norms: 'before',
    feedForward: { width: config.feedForward, activation: config.activation, gated: false },
    biases: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'up_proj', 'down_proj'],
    learnedPositions: true,
    tiedEmbedding,
    deviation,
  };
}

/** GPT-2 (Radford et al. 2019): learned positions, layer norms, biases everywhere, an ungated feed-forward network. */
export const gpt2 = decoderFamily('gpt2', gpt2Config, describeGpt2, gpt2Checkpoints);

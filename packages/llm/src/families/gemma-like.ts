import { z } from 'zod';
import type { DecoderDescription } from '../architecture/description.js';
import { decoderFields, headFields, headsOf, rotaryFields, windowFields } from './config-fields.js';
import { llamaLike, type LlamaLikeConfig } from './decoder-family.js';

/** Fields that the configs of Gemma 2 and 3 have in common. */
export const gemmaFields = {
  ...decoderFields,
  ...headFields,
  ...rotaryFields,
  ...windowFields,
  normEpsilon: decoderFields.normEpsilon.default(1e-6),
  attentionBias: z.boolean().default(false).describe('Whether the linear maps of attention have biases.'),
  scoreDivisor: z
    .number()
    .positive()
    .optional()
    .describe('What scores of attention are divided by the square root of; the size of heads when absent.'),
  attentionSoftCap: z
    .number()
    .positive()
    .optional()
    .describe('Bound on scores of attention, by tanh; none when absent.'),
  logitSoftCap: z.number().positive().optional().describe('Bound on logits, by tanh; none when absent.'),
} as const;

/** What the configs of Gemma 2 and 3 have in common. */
export interface GemmaLikeConfig extends LlamaLikeConfig {
  readonly attentionBias: boolean;
  readonly scoreDivisor?: number | undefined;
  readonly attentionSoftCap?: number | undefined;
  readonly logitSoftCap?: number | undefined;
}

/**
 * A decoder as Gemma 2 and 3 have in common: scaled embeddings, RMS norms around each part with gains that count from
 * 1, a feed-forward network gated by gelu, local and global layers, soft caps.
 */
export function gemmaLike(name: string, config: GemmaLikeConfig): DecoderDescription {
  const base = llamaLike(name, config);
  const { attentionSoftCap, logitSoftCap, scoreDivisor = headsOf(config).headSize } = config;
  return {
    ...base,
    layers: base.layers.map((layer) => ({ ...layer, attentionScale: scoreDivisor ** -0.5 })),
    norm: { kind: 'rms', epsilon: config.normEpsilon, gainsFromOne: true },
    norms: 'around',
    feedForward: { ...base.feedForward, activation: 'gelu-tanh' },
    biases: config.attentionBias ? ['q_proj', 'k_proj', 'v_proj', 'o_proj'] : [],
    embeddingScale: config.width ** 0.5,
    ...(attentionSoftCap && { attentionSoftCap }),
    ...(logitSoftCap && { logitSoftCap }),
  };
}

import { z } from 'zod';
import { decoderFields, headFields, headsOf } from './config-fields.js';
import type { GemmaLikeConfig } from './gemma-like.js';
import {
  llamaLikeFields,
  llamaLikeFrom,
  llamaLikeTo,
  slidingFields,
  windowFrom,
  windowTo,
} from './hugging-face-fields.js';

/** What the `config.json` of Gemma 2 and 3 have in common. */
export const gemmaLikeFields = {
  ...llamaLikeFields,
  ...slidingFields,
  num_key_value_heads: decoderFields.heads.nullable().default(4),
  tie_word_embeddings: z.boolean().default(true),
  hidden_activation: z.literal('gelu_pytorch_tanh').default('gelu_pytorch_tanh'),
  head_dim: headFields.headSize.unwrap().default(256),
  sliding_window: z.number().int().positive().nullish().default(4096),
  query_pre_attn_scalar: z.number().positive().default(256),
  attention_bias: z.boolean().default(false),
  attn_logit_softcapping: z.number().positive().nullish(),
  final_logit_softcapping: z.number().positive().nullish(),
  use_bidirectional_attention: z.literal(false).nullish(),
} as const;

/**
 * Our common fields of Gemma 2 and 3 from Hugging Face's.
 *
 * @param globalEvery Every how many-th layer reads all tokens, where the file does not say.
 */
export function gemmaLikeFrom(
  family: string,
  data: z.output<z.ZodObject<typeof gemmaLikeFields>>,
  globalEvery: number,
): Readonly<Record<string, unknown>> {
  const { attn_logit_softcapping: attentionSoftCap, final_logit_softcapping: logitSoftCap } = data;
  return {
    ...llamaLikeFrom(data),
    ...windowFrom(family, data, (layer) => (layer + 1) % globalEvery !== 0),
    attentionBias: data.attention_bias,
    scoreDivisor: data.query_pre_attn_scalar,
    ...(attentionSoftCap && { attentionSoftCap }),
    ...(logitSoftCap && { logitSoftCap }),
  };
}

/** Hugging Face's common fields of Gemma 2 and 3 from ours. */
export function gemmaLikeTo(config: GemmaLikeConfig): Readonly<Record<string, unknown>> {
  const sizes = headsOf(config);
  return {
    ...llamaLikeTo({ ...config, ...sizes }),
    ...windowTo(config),
    attention_bias: config.attentionBias,
    query_pre_attn_scalar: config.scoreDivisor ?? sizes.headSize,
    attn_logit_softcapping: config.attentionSoftCap ?? null,
    final_logit_softcapping: config.logitSoftCap ?? null,
    hidden_activation: 'gelu_pytorch_tanh',
  };
}

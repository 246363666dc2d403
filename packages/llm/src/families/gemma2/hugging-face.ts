import type { CheckpointFormat } from '@user-llm/plugin';
import { z } from 'zod';
import { decoderFields, parseFamilyConfig } from '../config-fields.js';
import { gemmaLikeFields, gemmaLikeFrom, gemmaLikeTo } from '../gemma-hugging-face.js';
import { parseHuggingFace } from '../hugging-face-fields.js';
import { ropeFrom, ropeTo } from '../hugging-face-rope.js';
import { gemma2Config, type Gemma2Config } from './config.js';

const huggingFaceGemma2 = z.looseObject({
  ...gemmaLikeFields,
  max_position_embeddings: decoderFields.maximumTokens.default(8192),
  attn_logit_softcapping: z.number().positive().nullable().default(50),
  final_logit_softcapping: z.number().positive().nullable().default(30),
});

function fromHuggingFace(config: unknown): Gemma2Config {
  const data = parseHuggingFace('Gemma 2', huggingFaceGemma2, config);
  return parseFamilyConfig('Gemma 2', gemma2Config, {
    ...gemmaLikeFrom('Gemma 2', data, 2),
    ...ropeFrom(data, { family: 'Gemma 2' }),
  });
}

/** Checkpoints of Gemma 2. */
export const gemma2Checkpoints: CheckpointFormat<Gemma2Config> = {
  architectures: ['Gemma2ForCausalLM'],
  modelType: 'gemma2',
  fromHuggingFace,
  toHuggingFace: (config) => ({
    architectures: ['Gemma2ForCausalLM'],
    model_type: 'gemma2',
    ...gemmaLikeTo(config),
    ...ropeTo(config),
  }),
};

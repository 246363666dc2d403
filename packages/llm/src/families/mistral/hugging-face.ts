import type { CheckpointFormat } from '@user-llm/plugin';
import { z } from 'zod';
import { decoderFields, headsOf, parseFamilyConfig } from '../config-fields.js';
import {
  llamaLikeFields,
  llamaLikeFrom,
  llamaLikeTo,
  parseHuggingFace,
  slidingFields,
  windowFrom,
  windowTo,
} from '../hugging-face-fields.js';
import { ropeFrom, ropeTo } from '../hugging-face-rope.js';
import { mistralConfig, type MistralConfig } from './config.js';

const huggingFaceMistral = z.looseObject({
  ...llamaLikeFields,
  ...slidingFields,
  num_key_value_heads: decoderFields.heads.nullable().default(8),
  max_position_embeddings: decoderFields.maximumTokens.default(131_072),
  sliding_window: slidingFields.sliding_window.default(4096),
  hidden_act: z.literal('silu').default('silu'),
});

function fromHuggingFace(config: unknown): MistralConfig {
  const data = parseHuggingFace('Mistral', huggingFaceMistral, config);
  return parseFamilyConfig('Mistral', mistralConfig, {
    ...llamaLikeFrom(data),
    ...ropeFrom(data, { family: 'Mistral' }),
    ...windowFrom('Mistral', data, () => true),
  });
}

function toHuggingFace(config: MistralConfig): Readonly<Record<string, unknown>> {
  return {
    architectures: ['MistralForCausalLM'],
    model_type: 'mistral',
    ...llamaLikeTo({ ...config, ...headsOf(config) }),
    ...ropeTo(config),
    // Without a layer that differs transformers takes `layer_types` for those of another family, Ministral.
    ...(config.localLayers ? windowTo(config) : { sliding_window: config.window ?? null }),
    hidden_act: 'silu',
  };
}

/** Checkpoints of Mistrals. */
export const mistralCheckpoints: CheckpointFormat<MistralConfig> = {
  architectures: ['MistralForCausalLM'],
  modelType: 'mistral',
  fromHuggingFace,
  toHuggingFace,
};

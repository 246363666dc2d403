import type { CheckpointFormat } from '@user-llm/plugin';
import { z } from 'zod';
import { headsOf } from '../config-fields.js';
import { llamaLikeFields, llamaLikeFrom, llamaLikeTo, parseHuggingFace } from '../hugging-face-fields.js';
import { ropeFrom, ropeTo } from '../hugging-face-rope.js';
import { parseLlamaConfig, type LlamaConfig } from './config.js';
import { withoutInterleaving } from './head-order.js';

const huggingFaceLlama = z.looseObject({
  ...llamaLikeFields,
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  hidden_act: z.literal('silu').default('silu'),
});

function fromHuggingFace(config: unknown): LlamaConfig {
  const data = parseHuggingFace('Llama', huggingFaceLlama, config);
  return parseLlamaConfig({
    ...llamaLikeFrom(data),
    ...ropeFrom(data, { family: 'Llama' }),
    attentionBias: data.attention_bias,
    feedForwardBias: data.mlp_bias,
  });
}

function toHuggingFace(config: LlamaConfig): Readonly<Record<string, unknown>> {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    ...llamaLikeTo({ ...config, ...headsOf(config) }),
    ...ropeTo(config),
    attention_bias: config.attentionBias,
    mlp_bias: config.feedForwardBias,
    hidden_act: 'silu',
  };
}

/** Checkpoints of Llamas, and of models that call themselves so: SmolLM2, TinyLlama. */
export const llamaCheckpoints: CheckpointFormat<LlamaConfig> = {
  architectures: ['LlamaForCausalLM'],
  modelType: 'llama',
  fromHuggingFace,
  toHuggingFace,
  asHuggingFaceHasIt: withoutInterleaving,
};

import type { CheckpointFormat } from '@user-llm/plugin';
import { z } from 'zod';
import { headFields, parseFamilyConfig } from '../config-fields.js';
import { parseHuggingFace } from '../hugging-face-fields.js';
import { qwenFields, qwenFrom, qwenTo } from '../qwen-hugging-face.js';
import { qwen3Config, type Qwen3Config } from './config.js';

/** Qwen3 does not derive the size of heads from the width. */
const headSize = 128;

const huggingFaceQwen3 = z.looseObject({
  ...qwenFields,
  head_dim: headFields.headSize.unwrap().default(headSize),
  attention_bias: z.boolean().default(false),
});

function fromHuggingFace(config: unknown): Qwen3Config {
  const data = parseHuggingFace('Qwen3', huggingFaceQwen3, config);
  return parseFamilyConfig('Qwen3', qwen3Config, { ...qwenFrom('Qwen3', data), attentionBias: data.attention_bias });
}

/** Checkpoints of dense Qwen3. */
export const qwen3Checkpoints: CheckpointFormat<Qwen3Config> = {
  architectures: ['Qwen3ForCausalLM'],
  modelType: 'qwen3',
  fromHuggingFace,
  toHuggingFace: (config) => ({
    architectures: ['Qwen3ForCausalLM'],
    model_type: 'qwen3',
    ...qwenTo(config),
    attention_bias: config.attentionBias,
  }),
};

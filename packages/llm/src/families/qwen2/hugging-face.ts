import type { CheckpointFormat } from '@user-llm/plugin';
import { z } from 'zod';
import { parseFamilyConfig } from '../config-fields.js';
import { parseHuggingFace } from '../hugging-face-fields.js';
import { qwenFields, qwenFrom, qwenTo } from '../qwen-hugging-face.js';
import { qwen2Config, type Qwen2Config } from './config.js';

const huggingFaceQwen2 = z.looseObject(qwenFields);

/** Checkpoints of Qwen2 and Qwen2.5. */
export const qwen2Checkpoints: CheckpointFormat<Qwen2Config> = {
  architectures: ['Qwen2ForCausalLM'],
  modelType: 'qwen2',
  fromHuggingFace: (config) =>
    parseFamilyConfig('Qwen2', qwen2Config, qwenFrom('Qwen2', parseHuggingFace('Qwen2', huggingFaceQwen2, config))),
  toHuggingFace: (config) => ({ architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2', ...qwenTo(config) }),
};

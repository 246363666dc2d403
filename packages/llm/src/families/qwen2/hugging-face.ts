import { z } from 'zod';
import type { CheckpointFamily } from '../checkpoint-family.js';
import { parseFamilyConfig } from '../config-fields.js';
import { parseHuggingFace } from '../hugging-face-fields.js';
import { qwenFields, qwenFrom, qwenTo } from '../qwen-hugging-face.js';
import { qwen2Config, type Qwen2Config } from './config.js';
import { qwen2 } from './qwen2.js';

const huggingFaceQwen2 = z.looseObject(qwenFields);

/** Checkpoints of Qwen2 and Qwen2.5. */
export const qwen2Checkpoints: CheckpointFamily<Qwen2Config> = {
  part: qwen2,
  architectures: ['Qwen2ForCausalLM'],
  modelType: 'qwen2',
  fromHuggingFace: (config) =>
    parseFamilyConfig('Qwen2', qwen2Config, qwenFrom('Qwen2', parseHuggingFace('Qwen2', huggingFaceQwen2, config))),
  toHuggingFace: (config) => ({ architectures: ['Qwen2ForCausalLM'], model_type: 'qwen2', ...qwenTo(config) }),
};

import type { CheckpointFormat } from '@user-llm/plugin';
import { z } from 'zod';
import { decoderFields, parseFamilyConfig } from '../config-fields.js';
import { gemmaLikeFields, gemmaLikeFrom, gemmaLikeTo } from '../gemma-hugging-face.js';
import { badHuggingFace, parseHuggingFace } from '../hugging-face-fields.js';
import { ropeFrom, ropeTo } from '../hugging-face-rope.js';
import { gemma3Config, type Gemma3Config } from './config.js';

const huggingFaceGemma3 = z.looseObject({
  ...gemmaLikeFields,
  max_position_embeddings: decoderFields.maximumTokens.default(131_072),
  rope_local_base_freq: z.number().positive().default(10_000),
  sliding_window_pattern: z.number().int().positive().optional(),
  _sliding_window_pattern: z.number().int().positive().default(6),
});

function fromHuggingFace(config: unknown): Gemma3Config {
  const data = parseHuggingFace('Gemma 3', huggingFaceGemma3, config);
  const local = ropeFrom(
    // Transformers 4 has a base for these layers, and its scaling is that of the others.
    { ...data, rope_theta: data.rope_local_base_freq, rope_scaling: null },
    { family: 'Gemma 3', layers: 'sliding_attention' },
  );
  if (local.rotaryScaling || local.rotaryShare)
    throw badHuggingFace('Gemma 3', 'scaled or partial rotary positions in layers that read a window');
  return parseFamilyConfig('Gemma 3', gemma3Config, {
    ...gemmaLikeFrom('Gemma 3', data, data.sliding_window_pattern ?? data._sliding_window_pattern),
    ...ropeFrom(data, { family: 'Gemma 3', base: 1_000_000 }),
    localRotaryBase: local.rotaryBase,
  });
}

function toHuggingFace(config: Gemma3Config): Readonly<Record<string, unknown>> {
  const { rope_parameters, ...rope } = ropeTo(config);
  return {
    architectures: ['Gemma3ForCausalLM'],
    model_type: 'gemma3_text',
    ...gemmaLikeTo(config),
    ...rope,
    rope_local_base_freq: config.localRotaryBase,
    rope_parameters: {
      full_attention: rope_parameters,
      sliding_attention: { rope_type: 'default', rope_theta: config.localRotaryBase },
    },
  };
}

/** Checkpoints of Gemma 3 without eyes. */
export const gemma3Checkpoints: CheckpointFormat<Gemma3Config> = {
  architectures: ['Gemma3ForCausalLM'],
  modelType: 'gemma3_text',
  fromHuggingFace,
  toHuggingFace,
};

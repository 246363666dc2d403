import { z } from 'zod';
import { decoderFields, familyConfig, headFields, rotaryFields, windowFields } from '../config-fields.js';

/** The config of a dense Qwen3: meaning and unit of every field, and what is filled in. */
export const qwen3Config = familyConfig({
  ...decoderFields,
  ...headFields,
  ...rotaryFields,
  ...windowFields,
  attentionBias: z.boolean().default(false).describe('Whether the linear maps of attention have biases.'),
});

/** A validated config of a Qwen3. */
export type Qwen3Config = z.output<typeof qwen3Config>;

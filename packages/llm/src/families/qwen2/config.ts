import type { z } from 'zod';
import { decoderFields, familyConfig, headFields, rotaryFields, windowFields } from '../config-fields.js';

/** The config of a Qwen2 or Qwen2.5: meaning and unit of every field, and what is filled in. */
export const qwen2Config = familyConfig({ ...decoderFields, ...headFields, ...rotaryFields, ...windowFields });

/** A validated config of a Qwen2. */
export type Qwen2Config = z.output<typeof qwen2Config>;

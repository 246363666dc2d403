import type { z } from 'zod';
import { decoderFields, familyConfig, headFields, rotaryFields, windowFields } from '../config-fields.js';

/** The config of a Mistral: meaning and unit of every field, and what is filled in. */
export const mistralConfig = familyConfig({ ...decoderFields, ...headFields, ...rotaryFields, ...windowFields });

/** A validated config of a Mistral. */
export type MistralConfig = z.output<typeof mistralConfig>;

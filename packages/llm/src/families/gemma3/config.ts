import { z } from 'zod';
import { familyConfig, rotaryFields } from '../config-fields.js';
import { gemmaFields } from '../gemma-like.js';

/** The config of a Gemma 3 without eyes: meaning and unit of every field, and what is filled in. */
export const gemma3Config = familyConfig({
  ...gemmaFields,
  rotaryBase: rotaryFields.rotaryBase.default(1_000_000).describe('Base of the rotary frequencies of global layers.'),
  rotaryScaling: rotaryFields.rotaryScaling.describe(
    'How the frequencies of global layers are changed to read more tokens than were trained; not at all when absent.',
  ),
  localRotaryBase: z.number().positive().default(10_000).describe('Base of the rotary frequencies of local layers.'),
});

/** A validated config of a Gemma 3. */
export type Gemma3Config = z.output<typeof gemma3Config>;

import { z } from 'zod';
import { decoderFields, familyConfig, headFields, rotaryFields, windowFields } from '../config-fields.js';

/** The config of a Phi-3 or Phi-4-mini: meaning and unit of every field, and what is filled in. */
export const phi3Config = familyConfig({
  ...decoderFields,
  ...headFields,
  ...rotaryFields,
  window: windowFields.window.describe(
    'Tokens that a token reads, its own and those right before it; all when absent.',
  ),
  rotaryShare: z
    .number()
    .positive()
    .max(1)
    .default(1)
    .describe('Share of the elements of a head, from the first on, that are turned.'),
});

/** A validated config of a Phi-3. */
export type Phi3Config = z.output<typeof phi3Config>;

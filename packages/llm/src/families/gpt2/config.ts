import { z } from 'zod';
import { decoderFields, familyConfig } from '../config-fields.js';

/** The config of a GPT-2: meaning and unit of every field, and what is filled in. */
export const gpt2Config = familyConfig({
  ...decoderFields,
  maximumTokens: decoderFields.maximumTokens.default(1024).describe('Rows of the table of positions, in tokens.'),
  normEpsilon: decoderFields.normEpsilon.describe('Added to variances in norms.'),
  activation: z
    .enum(['gelu-tanh', 'gelu', 'relu', 'silu'])
    .default('gelu-tanh')
    .describe('What stands between the maps of the feed-forward network.'),
  scoresByLayer: z
    .boolean()
    .default(false)
    .describe("Whether a layer's scores of attention are also divided by its number, from 1."),
});

/** A validated config of a GPT-2. */
export type Gpt2Config = z.output<typeof gpt2Config>;

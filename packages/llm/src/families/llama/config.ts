import { z } from 'zod';
import { decoderFields, familyConfig, headFields, parseFamilyConfig, rotaryFields } from '../config-fields.js';

/** The config of a Llama: meaning and unit of every field, and what is filled in. */
export const llamaConfig = familyConfig({
  ...decoderFields,
  ...headFields,
  ...rotaryFields,
  rotaryInterleaved: z
    .boolean()
    .default(false)
    .describe('Whether neighbours are turned as pairs (llama2.c) rather than halves of a head (Hugging Face).'),
  attentionBias: z.boolean().default(false).describe('Whether the linear maps of attention have biases.'),
  feedForwardBias: z.boolean().default(false).describe('Whether those of the feed-forward network have biases.'),
});

/** A validated config of a Llama. */
export type LlamaConfig = z.output<typeof llamaConfig>;

/**
 * A config checked and filled in.
 *
 * @throws UserLlmError `bad-config` that lists every field that is wrong.
 */
export function parseLlamaConfig(config: unknown): LlamaConfig {
  return parseFamilyConfig('Llama', llamaConfig, config);
}

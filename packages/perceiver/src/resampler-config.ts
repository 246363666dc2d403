import { activations } from '@user-llm/layers';
import { z } from 'zod';

const count = z.int().min(1);

/** The config of `perceiverResampler`; every field has a default. */
export const resamplerConfig = z.strictObject({
  latents: count
    .default(16)
    .describe(
      'Trainable latents that replace the events: how many vectors the LLM reads of a user, `lastEvents` aside.',
    ),
  layers: count.default(2).describe('Layers; each reads the events and the latents again.'),
  heads: count.default(8).describe('Attention heads; they divide `width`.'),
  width: count
    .optional()
    .describe('Width of all heads of attention together, in numbers; the width of the event embeddings when absent.'),
  feedForward: count
    .optional()
    .describe(
      'Width between the two maps of a feed-forward network; 4 times that of the event embeddings when absent.',
    ),
  activation: z.enum(activations).default('gelu').describe('What stands between the maps of a feed-forward network.'),
  readLatents: z
    .boolean()
    .default(true)
    .describe(
      'Whether latents read the latents besides the events, as in Flamingo. Without it they read the events alone, as in User-LLM: at first each event then weighs more, and short trainings get further.',
    ),
  lastEvents: count
    .optional()
    .describe(
      'How many last events follow the latents, their embeddings as the encoder gave them; none when absent. After a causal encoder the last one is what it expects next.',
    ),
  recency: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'How many last events get a learned vector that tells how many events ago they were; older ones share one more. 0 for none: the encoder has positions of its own.',
    ),
});

/** A checked config of `perceiverResampler`. */
export type ResamplerConfig = z.infer<typeof resamplerConfig>;

import { activations } from '@user-llm/layers';
import { z } from 'zod';
import { projectionConfig } from './projector.js';

const count = z.int().min(1);

/** The config of `crossAttention`; every field has a default. */
export const crossAttentionConfig = z.strictObject({
  every: count
    .default(1)
    .describe('Layers of the LLM from one that reads the user to the next: with 4, the 4th, the 8th and so on read.'),
  heads: count.default(8).describe('Heads of the cross-attention; they divide `width`.'),
  width: count
    .optional()
    .describe('Width of all heads of cross-attention together, in numbers; the width of the LLM when absent.'),
  deviation: z
    .number()
    .positive()
    .default(0.02)
    .describe(
      "Standard deviation of the first values of the map back to the LLM's width. As small as the LLM's own: else a gate that opens a little drowns the hidden states, and none opens.",
    ),
  initialGate: z
    .number()
    .default(0)
    .describe(
      'What gates start at. At 0 the LLM is at first what it is without users, bit for bit; somewhat above, what lies behind the gates learns from the first step on.',
    ),
  projection: projectionConfig
    .nullable()
    .default({ activation: 'gelu' })
    .describe(
      'The two maps between latents and keys and values; null to make keys and values of the latents as they are.',
    ),
  feedForward: z
    .strictObject({
      hidden: count.optional().describe('Width between its two maps; 4 times the width of the LLM when absent.'),
      activation: z.enum(activations).default('gelu').describe('What stands between its two maps.'),
    })
    .nullable()
    .default(null)
    .describe('A gated feed-forward network after each cross-attention, as in Flamingo; null for none.'),
});

/** A checked config of `crossAttention`. */
export type CrossAttentionConfig = z.infer<typeof crossAttentionConfig>;

/**
 * The layers of an LLM that read the user, numbered from 0: every n-th, the n-th first.
 *
 * @param every The n.
 * @param layers Layers of the LLM.
 */
export function readingLayers(every: number, layers: number): number[] {
  return Array.from({ length: layers }, (_, layer) => layer).filter((layer) => (layer + 1) % every === 0);
}

import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

const count = z.number().int().positive();

/** The config of a Llama: meaning and unit of every field, and what is filled in. */
export const llamaConfig = z
  .strictObject({
    vocabularySize: count.describe('Number of tokens, special ones included.'),
    width: count.describe('Width of hidden states, in numbers.'),
    layers: count.max(4096).describe('Decoder layers.'),
    heads: count.describe('Query heads of attention.'),
    keyValueHeads: count
      .optional()
      .describe('Key and value heads, each shared by as many query heads; as many as query heads when absent.'),
    headSize: count
      .optional()
      .describe('Width of a head, in numbers, an even one; the width divided by the heads when absent.'),
    feedForward: count.describe('Width between the maps of the feed-forward network, in numbers.'),
    maximumTokens: count.default(2048).describe('Positions the model is made for, in tokens.'),
    rotaryBase: z.number().positive().default(10_000).describe('Base of the rotary frequencies.'),
    rotaryInterleaved: z
      .boolean()
      .default(false)
      .describe('Whether neighbours are turned as pairs (llama2.c) rather than halves of a head (Hugging Face).'),
    normEpsilon: z.number().positive().default(1e-5).describe('Added to mean squares in norms.'),
    tiedEmbedding: z.boolean().default(true).describe('Whether the output layer is the embedding table.'),
    attentionBias: z.boolean().default(false).describe('Whether the linear maps of attention have biases.'),
    deviation: z.number().positive().default(0.02).describe('Standard deviation of the first values of matrices.'),
  })
  .superRefine(({ width, heads, keyValueHeads = heads, headSize }, context) => {
    const refuse = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    if (heads % keyValueHeads !== 0) refuse('keyValueHeads', `must divide the ${heads} query heads`);
    const size = headSize ?? width / heads;
    if (!Number.isInteger(size)) refuse('heads', `must divide the width ${width}, or a headSize must be given`);
    else if (size % 2 !== 0) refuse('headSize', `must be even, and is ${size}`);
  });

/** A validated config of a Llama. */
export type LlamaConfig = z.output<typeof llamaConfig>;

/** The sizes of attention that a config means, with what is filled in. */
export function attentionSizes({ width, heads, keyValueHeads = heads, headSize }: LlamaConfig): {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
} {
  return { heads, keyValueHeads, headSize: headSize ?? width / heads };
}

/**
 * A config checked and filled in.
 *
 * @throws UserLlmError `bad-config` that lists every field that is wrong.
 */
export function parseLlamaConfig(config: unknown): LlamaConfig {
  const parsed = llamaConfig.safeParse(config);
  if (parsed.success) return parsed.data;
  throw new UserLlmError('bad-config', {
    what: 'config of a Llama',
    expected: 'fields that fit',
    got: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    mend: 'Correct these fields.',
    cause: parsed.error,
  });
}

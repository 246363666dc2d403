import { z } from 'zod';

/** The config of `lora`; every field has a default. */
export const loraConfig = z.strictObject({
  rank: z.int().min(1).default(8).describe('Width between the two matrices that are added to each map.'),
  alpha: z.number().positive().default(16).describe('What is added is multiplied by alpha / rank.'),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('Share of the inputs of the added matrices that is dropped in training, from 0 up to and excluding 1.'),
  targets: z
    .array(z.string().min(1))
    .min(1)
    .default(['*'])
    .describe(
      'The linear maps to adapt: whole names, or their ends (`q_proj`, `self_attn.q_proj`); `*` stands for any characters. All maps inside the layers unless told.',
    ),
});

/** A checked config of `lora`. */
export type LoraConfig = z.infer<typeof loraConfig>;

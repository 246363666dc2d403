import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

/** How text is generated: meaning, unit and default of every field. */
export const generationOptions = z.strictObject({
  maximumTokens: z.number().int().positive().describe('Tokens to generate at most, per prompt.'),
  temperature: z
    .number()
    .min(0)
    .default(0)
    .describe('Divides the logits before sampling; 0 takes the likeliest token.'),
  topK: z.number().int().positive().optional().describe('Samples among this many likeliest tokens; all when absent.'),
  topP: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe('Samples among the likeliest tokens whose probabilities add up to this; all when absent.'),
  minP: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Samples among tokens that are at least this share of the likeliest one's probability; all when absent."),
  repetitionPenalty: z
    .number()
    .positive()
    .default(1)
    .describe('Divides positive logits, and multiplies negative ones, of tokens that occurred already.'),
  stop: z.array(z.string().min(1)).default([]).describe('Texts that end an answer; they are left out of it.'),
  seed: z.number().int().min(0).default(0).describe('Seed of the samples; each prompt draws its own.'),
});

/** How text is generated. */
export type GenerationOptions = z.input<typeof generationOptions>;

/** The same with defaults filled in. */
export type ParsedGenerationOptions = z.output<typeof generationOptions>;

/** @throws UserLlmError `bad-argument` that names every field that is wrong. */
export function parseGenerationOptions(options: GenerationOptions): ParsedGenerationOptions {
  return parseOptions('options of generation', generationOptions, options);
}

/** Options checked by their schema. @throws UserLlmError `bad-argument` that names every field that is wrong. */
export function parseOptions<Schema extends z.ZodType>(
  what: string,
  schema: Schema,
  options: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw new UserLlmError('bad-argument', {
    what,
    expected: 'fields that fit',
    got: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
    cause: parsed.error,
  });
}

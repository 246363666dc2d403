import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

const addedToken = z.looseObject({
  id: z.number().int().min(0),
  content: z.string(),
  special: z.boolean().default(false),
  single_word: z.boolean().optional(),
  lstrip: z.boolean().optional(),
  rstrip: z.boolean().optional(),
  /** Whether it is looked for in the normalized text; unless told, where it is not special. */
  normalized: z.boolean().optional(),
});

/** A part of a pipeline: its type, and options of its own. */
const step = z.looseObject({ type: z.string() });

const tokenizerJson = z.looseObject({
  added_tokens: z.array(addedToken).default([]),
  normalizer: step.nullish(),
  pre_tokenizer: step.nullish(),
  post_processor: step.nullish(),
  decoder: step.nullish(),
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.union([z.record(z.string(), z.number().int().min(0)), z.array(z.tuple([z.string(), z.number()]))]),
  }),
});

/** The content of a `tokenizer.json` of Hugging Face's `tokenizers`, as far as we look at it. */
export type TokenizerJson = z.output<typeof tokenizerJson>;

/** A token that is found in texts before the model reads them. */
export type AddedToken = z.output<typeof addedToken>;

/** A step of its pipelines. */
export type PipelineStep = z.output<typeof step>;

/**
 * The content of a `tokenizer.json`, checked.
 *
 * @param json Its text, or what the text says.
 * @throws UserLlmError `bad-tokenizer` when it is none.
 */
export function parseTokenizerJson(json: unknown): TokenizerJson {
  let content = json;
  try {
    if (typeof json === 'string') content = JSON.parse(json);
  } catch (cause) {
    throw badTokenizer('JSON', 'text that is not', cause);
  }
  const parsed = tokenizerJson.safeParse(content);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw badTokenizer('the content of a tokenizer.json', problems.slice(0, 3).join('; '), parsed.error);
}

/** @internal */
export function badTokenizer(expected: string, got: string, cause?: unknown): UserLlmError {
  return new UserLlmError('bad-tokenizer', {
    what: 'tokenizer.json',
    expected,
    got,
    mend: 'Give a tokenizer.json as trainBpe or Hugging Face tokenizers write it.',
    cause,
  });
}

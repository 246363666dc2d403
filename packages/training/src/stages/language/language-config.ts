import { z } from 'zod';
import { validationConfig } from '../../loop/validation.js';
import { stageFields } from '../stage-fields.js';

/** Training of the LLM on running text. */
export const languageConfig = z.strictObject({
  kind: z.literal('language').describe('Trains the LLM on texts, without users.'),
  ...stageFields,
  files: z
    .array(z.string())
    .default([])
    .describe('Text files: one text a line, or with .jsonl an object with a field `text`.'),
  catalogue: z
    .boolean()
    .default(true)
    .describe("Whether the catalogue's texts are read: title, categories and description of each item."),
  prompts: z
    .strictObject({
      count: z.int().min(1).describe('Questions about training users, with their answers.'),
      tasks: z.array(z.string()).min(1).describe('Names of the tasks, each as often as another.'),
      lastEvents: z.int().min(0).default(10).describe('Events told before each instruction.'),
    })
    .optional()
    .describe('Task prompts as texts; none when absent.'),
  batchSize: z.int().min(1).default(32).describe('Sequences per batch.'),
  sequenceTokens: z.int().min(8).default(128).describe('Tokens of a sequence; texts are packed one after the other.'),
  validation: validationConfig
    .extend({
      metric: z
        .literal('loss')
        .default('loss')
        .describe('loss: mean cross-entropy per token of texts that are held out.'),
      better: z.enum(['higher', 'lower']).default('lower').describe('Which values of the metric are better.'),
      share: z.number().gt(0).lt(1).default(0.05).describe('Share of the texts that is held out.'),
    })
    .optional()
    .describe('Texts that are not trained on; without it the last parameters are kept.'),
});

/** Training of the LLM on running text, defaults filled in. */
export type LanguageConfig = Readonly<z.output<typeof languageConfig>>;

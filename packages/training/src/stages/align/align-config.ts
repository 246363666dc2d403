import { z } from 'zod';
import { stageFields } from '../stage-fields.js';
import { strategyNames } from '../strategy.js';
import { firstChoiceShareField } from '../tune/first-choice.js';

/** Alignment: the LLM learns which words the encoder's embeddings stand for. */
export const alignConfig = z.strictObject({
  kind: z.literal('align').describe("Teaches the LLM the titles that the encoder's vectors of items stand for."),
  ...stageFields,
  strategy: z
    .enum(strategyNames)
    .default('full')
    .describe('What is trained, as in tuning; the encoder stays as it is whatever the strategy.'),
  events: z
    .int()
    .min(1)
    .default(1)
    .describe(
      'Items of a row, drawn at random; the title of the last is asked. More than one also teaches which is the last, and takes longer.',
    ),
  sampling: z
    .enum(['items', 'events'])
    .optional()
    .describe(
      'Whether every item is asked for equally often (items, also when absent), or every training event, so that items that users choose more are learned sooner.',
    ),
  firstChoiceShare: firstChoiceShareField,
  batchSize: z.int().min(1).default(128).describe('Rows per batch.'),
  maximumTokens: z.int().min(8).default(64).describe('Tokens of a row at most: a longer title is cut.'),
});

/** Alignment, defaults filled in. */
export type AlignConfig = Readonly<z.output<typeof alignConfig>>;

import { z } from 'zod';
import { validationConfig } from '../../loop/validation.js';
import { stageFields } from '../stage-fields.js';
import { nextItemFigures } from './next-item-validation.js';

/** Pretraining: the user encoder learns to predict events from those before them. */
export const pretrainConfig = z.strictObject({
  kind: z.literal('pretrain').describe('Pretrains the user encoder on histories.'),
  ...stageFields,
  batchSize: z.int().min(1).default(128).describe('Windows of histories per batch.'),
  window: z
    .strictObject({
      kind: z
        .enum(['sliding', 'last'])
        .default('sliding')
        .describe("All of a history in windows, or its last window alone, as SASRec's authors do."),
      length: z
        .int()
        .min(1)
        .optional()
        .describe('Events per window at most; as many as the encoder reads when absent.'),
      stride: z
        .int()
        .min(1)
        .optional()
        .describe('Events from one sliding window to the next; the length when absent, so that none is seen twice.'),
    })
    .prefault({})
    .describe('Which stretches of histories are read.'),
  lengthBuckets: z
    .array(z.int().min(1))
    .default([])
    .describe('Lengths, in events, that batches are padded to beside the longest; each is compiled once.'),
  minimumEvents: z.int().min(0).default(0).describe('Users with fewer events are left out of training.'),
  validation: validationConfig
    .extend({
      metric: z
        .enum(nextItemFigures)
        .default('ndcg@10')
        .describe('ndcg@10, hr@10 (also @1 and @5) over the full catalogue.'),
      users: z.int().min(1).nullable().default(null).describe('Users drawn for each validation; null: all.'),
    })
    .optional()
    .describe('Next items of the validation part, seen items left out; without it the last parameters are kept.'),
  test: z
    .boolean()
    .default(false)
    .describe('Whether the same figures of the test part are taken once, at the end of the stage.'),
});

/** Pretraining, defaults filled in. */
export type PretrainConfig = Readonly<z.output<typeof pretrainConfig>>;

import { z } from 'zod';
import { negativeSamplings } from './negatives.js';

/** The fields of a config that say what pretraining minimises for one predicted feature. */
export const lossFields = {
  loss: z
    .enum(['softmax', 'sampled-softmax', 'bce', 'gbce'])
    .default('softmax')
    .describe(
      'Cross-entropy over all ids, over ids that are drawn, binary cross-entropy, or gBCE, which is calibrated for few negatives.',
    ),
  sampledAbove: z
    .int()
    .min(1)
    .default(50_000)
    .describe('Number of ids above which `softmax` draws ids (sampled softmax) instead of looking at all.'),
  negatives: z
    .int()
    .min(1)
    .default(1024)
    .describe('Ids drawn for each batch, shared by all its rows, for all losses but a full softmax.'),
  sampling: z
    .enum(negativeSamplings)
    .default('uniform')
    .describe('How they are drawn: all alike, or by Zipf’s law (ids stand in falling order of frequency).'),
  calibration: z
    .number()
    .min(0)
    .max(1)
    .default(0.75)
    .describe('Calibration t of gBCE: 0 is plain BCE, 1 full calibration.'),
  rowsAtOnce: z
    .int()
    .min(0)
    .default(1600)
    .describe('Rows whose scores of all ids exist at one time in a full softmax; 0 for all. Bounds memory.'),
};

/** What pretraining minimises for one predicted feature, defaults filled in. */
export type LossConfig = z.output<z.ZodObject<typeof lossFields>>;

import { z } from 'zod';

/** The fields of a config that say what is predicted, and from what. */
export const predictionFields = {
  predict: z
    .record(z.string(), z.number().min(0))
    .optional()
    .describe('Weights, by name, of the features of an event whose losses add up; the item alone when absent.'),
  tied: z.boolean().default(true).describe('Whether outputs are the embeddings of the inputs, or tables of their own.'),
};

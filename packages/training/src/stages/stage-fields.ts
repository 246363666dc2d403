import { z } from 'zod';
import { budgetConfig } from '../loop/budget.js';
import { optimizerConfig } from '../optimizer/optimizer-config.js';

/** The fields that all stages share. */
export const stageFields = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'small letters, digits and hyphens')
    .optional()
    .describe('Name of the stage in figures and folders; its kind when absent.'),
  budget: budgetConfig.describe('How long it trains: until the first of these is used up.'),
  optimizer: optimizerConfig.prefault({}).describe('How parameters move.'),
  checkpointMinutes: z
    .number()
    .positive()
    .default(5)
    .describe('Minutes between checkpoints; there is one at each validation, too.'),
  seed: z
    .int()
    .min(0)
    .optional()
    .describe('Seed of the order of batches and of dropout in this stage; that of the run when absent.'),
} as const;

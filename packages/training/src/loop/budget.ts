import { z } from 'zod';
import type { Place } from '../checkpoint/place.js';

/** How long a stage trains: until the first of its limits. */
export const budgetConfig = z
  .strictObject({
    steps: z.int().min(1).optional().describe('Training steps at most.'),
    minutes: z
      .number()
      .positive()
      .optional()
      .describe('Minutes of steps and their batches at most, over all sessions; validation and saving do not count.'),
  })
  .refine(({ steps, minutes }) => steps !== undefined || minutes !== undefined, 'give steps, minutes, or both');

/** How long a stage trains. */
export type Budget = Readonly<z.output<typeof budgetConfig>>;

/** Share of a budget that is used up, 0 to 1. */
export function budgetShare({ steps, minutes }: Budget, { step, seconds }: Pick<Place, 'step' | 'seconds'>): number {
  const ofSteps = steps === undefined ? 0 : step / steps;
  const ofTime = minutes === undefined ? 0 : seconds / (60 * minutes);
  return Math.min(1, Math.max(ofSteps, ofTime));
}

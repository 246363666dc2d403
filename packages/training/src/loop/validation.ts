import { z } from 'zod';
import type { Place } from '../checkpoint/place.js';

/** When figures on held-out data are taken, and what they decide. */
export const validationConfig = z.strictObject({
  every: z.int().min(1).describe('Steps between validations; there is one at the end too.'),
  metric: z.string().describe('The figure that decides which parameters are kept: such as ndcg@10, or loss.'),
  better: z.enum(['higher', 'lower']).default('higher').describe('Which values of the metric are better.'),
  patience: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .describe('Validations in a row that are not better before the stage ends early. null: it never does.'),
});

/** When figures on held-out data are taken, and what they decide. */
export type Validation = Readonly<z.output<typeof validationConfig>>;

/** The place after a validation. */
export function afterValidation(place: Place, value: number, { better }: Validation): Place {
  const improved = place.best === null || (better === 'higher' ? value > place.best.value : value < place.best.value);
  return {
    ...place,
    validatedAt: place.step,
    best: improved ? { value, step: place.step } : place.best,
    sinceBest: improved ? 0 : place.sinceBest + 1,
  };
}

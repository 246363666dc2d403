import { z } from 'zod';

/** The keys that every `FeatureSpec` may have; a kind's options extend them, and refuse all other keys. */
export const specOptions = z.strictObject({
  kind: z.string().optional(),
  from: z.enum(['event', 'item', 'time-gap', 'hour']).optional(),
  field: z.string().min(1).optional(),
});

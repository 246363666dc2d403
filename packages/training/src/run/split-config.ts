import { z } from 'zod';

const share = z.number().min(0).max(1);

/** How events are parted; the form of tokenization's `SplitOptions`. */
export const splitConfig = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('leave-last-out').describe("Each user's last event is tested, the one before validates."),
      validation: share
        .default(1)
        .describe('Share of the users whose last event but one validates; that of the others trains.'),
      seed: z.int().default(0).describe('Another seed validates on other users.'),
    }),
    z.strictObject({
      kind: z.literal('time').describe('Events from a moment on validate, from a later one on test.'),
      validationFrom: z.number().describe('Milliseconds since 1970.'),
      testFrom: z.number().describe('Milliseconds since 1970.'),
    }),
    z.strictObject({
      kind: z.literal('held-out-users').describe('Users are validated and tested that are never trained on.'),
      validation: share.describe('Share of the users.'),
      test: share.describe('Share of the users.'),
      seed: z.int().default(0).describe('Another seed holds out other users.'),
    }),
  ])
  .prefault({ kind: 'leave-last-out' });

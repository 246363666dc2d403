import type { JsonValue } from '@user-llm/plugin';
import { z } from 'zod';

const json: z.ZodType<JsonValue> = z.json();

/** How far a stage is, as plain JSON: with parameters and optimizer state, all that the next step depends on. */
export const place = z.strictObject({
  /** Steps taken. */
  step: z.int().min(0),
  /** Examples seen. */
  examples: z.int().min(0),
  /** Seconds that steps and their batches took, over all sessions; validation and saving are not counted. */
  seconds: z.number().min(0),
  /** The cursor of the last batch used; null at the beginning. */
  cursor: json,
  /** The step after which figures on held-out data were last taken; -1 before that. */
  validatedAt: z.int(),
  /** The best value of the validation metric so far, and the step it came after. */
  best: z.strictObject({ value: z.number(), step: z.int() }).nullable(),
  /** Validations since then. */
  sinceBest: z.int().min(0),
});

/** How far a stage is. */
export type Place = Readonly<z.output<typeof place>>;

/** Where a stage begins. */
export const beginning: Place = {
  step: 0,
  examples: 0,
  seconds: 0,
  cursor: null,
  validatedAt: -1,
  best: null,
  sinceBest: 0,
};

import type { JsonValue } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

/** Reads a fitted feature's JSON by its schema, or says what is wrong with it. */
export function readState<Schema extends z.ZodType>(kind: string, schema: Schema, state: JsonValue): z.output<Schema> {
  const parsed = schema.safeParse(state);
  if (parsed.success) return parsed.data;
  throw new UserLlmError('bad-feature-state', {
    what: `state of a feature of kind ${kind}`,
    expected: 'what its toJSON gave',
    got: z.prettifyError(parsed.error),
    mend: 'Load the tokenizer file that was saved with the model, with the version of the package that wrote it.',
    cause: parsed.error,
  });
}

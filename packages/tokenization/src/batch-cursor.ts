import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

/** A place in the sequence of batches, as plain JSON: what a checkpoint keeps. */
export const batchCursor = z.strictObject({
  version: z.literal(1),
  /** Whole passes done. */
  epoch: z.int().min(0),
  /** Groups of shards done in this pass. */
  group: z.int().min(0),
  /** Batches done in this group. */
  batch: z.int().min(0),
  /** Hash of the recipe and tokenizer: another sequence has another one. */
  recipe: z.string(),
});

/** A place in the sequence of batches, as plain JSON: what a checkpoint keeps. */
export type BatchCursor = Readonly<z.output<typeof batchCursor>>;

/**
 * Checks that a cursor is one of this sequence.
 *
 * @throws UserLlmError `bad-cursor` when it is not a cursor, or one of another recipe, data or tokenizer.
 */
export function checkedCursor(cursor: unknown, recipe: string): BatchCursor {
  const parsed = batchCursor.safeParse(cursor);
  if (parsed.success && parsed.data.recipe === recipe) return parsed.data;
  throw new UserLlmError('bad-cursor', {
    what: 'place to go on from',
    expected: `a cursor of version 1 made with the recipe ${recipe}`,
    got: parsed.success ? `one made with ${parsed.data.recipe}` : z.prettifyError(parsed.error),
    mend: 'Go on with the same recipe, tokenizer and data, or start from the beginning.',
  });
}

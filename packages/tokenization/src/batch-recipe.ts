import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';
import { splitOptions } from './splits.js';
import { windowOptions } from './windows.js';

/** Which windows of which events become batches, and in which order. */
export const batchRecipe = z
  .strictObject({
    split: splitOptions.default({ kind: 'leave-last-out', validation: 1, seed: 0 }),
    part: z.enum(['train', 'validation', 'test']).default('train'),
    window: windowOptions,
    /** Users with fewer events are left out. */
    minimumEvents: z.int().min(0).default(0),
    /** Windows per batch. */
    batchSize: z.int().min(1),
    /** Lengths that batches are padded to, ascending; the window's length is always one. */
    lengthBuckets: z.array(z.int().min(1)).default([]),
    paddingSide: z.enum(['left', 'right']).default('right'),
    /** Whether windows and batches come in random order, a new one each epoch. */
    shuffle: z.boolean().default(true),
    seed: z.int().min(0).default(0),
    /** Whether batches with fewer windows are left out. */
    dropLast: z.boolean().default(false),
  })
  .transform((recipe) => {
    const { length } = recipe.window;
    const bounds = [...recipe.lengthBuckets.filter((bound) => bound < length), length];
    return { ...recipe, lengthBuckets: [...new Set(bounds)].sort((a, b) => a - b) };
  });

/** Which windows of which events become batches, and in which order; only `window` and `batchSize` have no default. */
export type BatchRecipe = z.input<typeof batchRecipe>;

/** A recipe with its defaults filled in. */
export type CheckedRecipe = z.output<typeof batchRecipe>;

/**
 * Fills in a recipe's defaults.
 *
 * @throws UserLlmError `bad-batch-recipe` naming what is wrong with it.
 */
export function checkedRecipe(recipe: BatchRecipe): CheckedRecipe {
  const parsed = batchRecipe.safeParse(recipe);
  if (parsed.success) return parsed.data;
  throw new UserLlmError('bad-batch-recipe', {
    what: 'batch recipe',
    expected: 'the fields of BatchRecipe',
    got: z.prettifyError(parsed.error),
    cause: parsed.error,
  });
}

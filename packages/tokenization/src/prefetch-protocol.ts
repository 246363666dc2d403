import type { ErrorDetails } from '@user-llm/tensor';
import type { BatchCursor } from './batch-cursor.js';
import type { CheckedRecipe } from './batch-recipe.js';
import type { SequenceRange } from './batch-sequence.js';
import type { BatchArrays } from './batch.js';
import type { SharedSource } from './timeline-source.js';

/** What the worker is started with. */
export interface PrefetchJob {
  readonly source: SharedSource;
  readonly recipe: CheckedRecipe;
  readonly range: SequenceRange;
  /** Batches that may be made before the first is used. */
  readonly ahead: number;
}

/** What the worker sends: a batch, the end, or why it could not go on. */
export type PrefetchMessage =
  | { readonly kind: 'batch'; readonly batch: BatchArrays & { readonly next: BatchCursor } }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly code: string; readonly details: ErrorDetails };

/** What the worker is sent whenever a batch was taken: it may make another. */
export const takenMessage = 'taken';

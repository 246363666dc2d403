import type { EventSchema } from '@user-llm/plugin';
import type { BatchCursor } from './batch-cursor.js';
import { checkedRecipe, type BatchRecipe, type CheckedRecipe } from './batch-recipe.js';
import { batchSequence } from './batch-sequence.js';
import { typedBatch, type Batch } from './batch.js';
import type { EventTokenizer } from './event-tokenizer.js';
import { prefetchedSequence } from './prefetch.js';
import type { TimelineSource } from './timeline-source.js';

/** How a worker makes batches ahead of time. */
export interface PrefetchOptions {
  /** Batches to have ready. */
  readonly ahead: number;
  /** The worker's script, where a bundler has moved it; the one beside this module when absent. */
  readonly worker?: URL;
}

/** How much of the sequence of batches, and where it is made. */
export interface BatchRange {
  /** Passes over the data in all, those before `from` included; 1 when absent. */
  readonly epochs?: number;
  /** Where to go on: the `next` of the last batch that was used. */
  readonly from?: BatchCursor;
  /** Makes batches in a worker; in this thread when absent. */
  readonly prefetch?: PrefetchOptions;
}

/**
 * Hands out batches by a recipe: the same seed gives the same batches in the same order, and a run goes on where a
 * cursor says.
 *
 * @example
 * const loader = new BatchLoader(tokenizer, timelinesInMemory(tokenizer, timelines), {
 *   window: { kind: 'sliding', length: 50, stride: 50 }, batchSize: 64, seed: 7,
 * });
 * for await (const batch of loader.batches({ epochs: 3 })) train(batch.columns.item, batch.labels.item, batch.mask);
 */
export class BatchLoader<S extends EventSchema> {
  readonly recipe: CheckedRecipe;
  readonly #tokenizer: EventTokenizer<S>;
  readonly #source: TimelineSource;

  /** @throws UserLlmError `bad-batch-recipe` naming what is wrong with the recipe. */
  constructor(tokenizer: EventTokenizer<S>, source: TimelineSource, recipe: BatchRecipe) {
    this.#tokenizer = tokenizer;
    this.#source = source;
    this.recipe = checkedRecipe(recipe);
  }

  /**
   * The batches, one after the other; leaving the loop early also ends the worker.
   *
   * @throws UserLlmError `bad-cursor` when `from` is not a cursor of this recipe, tokenizer and data.
   */
  async *batches({ epochs = 1, from, prefetch }: BatchRange = {}): AsyncGenerator<Batch<S> & { next: BatchCursor }> {
    const range = { epochs, ...(from === undefined ? {} : { from }) };
    const sequence =
      prefetch === undefined
        ? batchSequence(this.#source, this.recipe, range)
        : prefetchedSequence(this.#source, this.recipe, range, prefetch);
    for await (const arrays of sequence) {
      yield { ...typedBatch<S>(arrays, this.#tokenizer.features), next: arrays.next };
    }
  }
}

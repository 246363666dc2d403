import { Random } from '@user-llm/tensor';
import { checkedCursor, type BatchCursor } from './batch-cursor.js';
import { planBatches } from './batch-plan.js';
import type { CheckedRecipe } from './batch-recipe.js';
import { fillBatch, type BatchArrays } from './batch.js';
import { contentHash } from './hash.js';
import type { TimelineSource } from './timeline-source.js';
import type { Timelines } from './timelines.js';
import { planWindows, type Windows } from './windows.js';

/** How much of the sequence of batches. */
export interface SequenceRange {
  /** Passes over the data in all, those before `from` included. */
  readonly epochs: number;
  /** Where to go on; the beginning when absent. */
  readonly from?: BatchCursor;
}

/**
 * All batches of a recipe in their order, as plain arrays. The same source, recipe and cursor give the same batches, and
 * going on from a batch's cursor gives those that would have come after it.
 *
 * @throws UserLlmError `bad-cursor` when the cursor is not one of this recipe and source.
 */
export async function* batchSequence(
  source: TimelineSource,
  recipe: CheckedRecipe,
  { epochs, from }: SequenceRange,
): AsyncGenerator<BatchArrays & { readonly next: BatchCursor }> {
  const hash = contentHash([source.fingerprint, recipe]);
  const start = checkedCursor(from ?? { version: 1, epoch: 0, group: 0, batch: 0, recipe: hash }, hash);
  const random = Random.fromSeed(recipe.seed);
  const groups = Math.ceil(source.shards / source.shardsAtOnce);
  const windowsOf = windowPlanner(recipe);
  for (let epoch = start.epoch; epoch < epochs; epoch++) {
    const ofEpoch = random.split('epoch').at(epoch);
    const shards = recipe.shuffle
      ? ofEpoch.split('shards').permutation(source.shards)
      : Int32Array.from({ length: source.shards }, (_, shard) => shard);
    const resumed = epoch === start.epoch;
    for (let group = resumed ? start.group : 0; group < groups; group++) {
      const chosen = shards.subarray(group * source.shardsAtOnce, (group + 1) * source.shardsAtOnce);
      const timelines = await source.load([...chosen]);
      const windows = windowsOf(timelines);
      const batches = planBatches(windows, recipe, recipe.shuffle ? ofEpoch.split('group').at(group) : undefined);
      for (let batch = resumed && group === start.group ? start.batch : 0; batch < batches.length; batch++) {
        const { rows, events } = batches[batch]!;
        const arrays = fillBatch(timelines.columns, windows, rows, events, recipe.paddingSide);
        yield { ...arrays, next: { version: 1, epoch, group, batch: batch + 1, recipe: hash } };
      }
    }
  }
}

/** Plans windows, and remembers those of the timelines it saw last: in memory they are the same in every epoch. */
function windowPlanner({ split, part, window, minimumEvents }: CheckedRecipe): (timelines: Timelines) => Windows {
  let last: { readonly timelines: Timelines; readonly windows: Windows } | undefined;
  return (timelines) => {
    if (last?.timelines !== timelines) {
      last = undefined;
      last = { timelines, windows: planWindows(timelines, split, part, window, minimumEvents) };
    }
    return last.windows;
  };
}

import { Worker } from 'node:worker_threads';
import { UserLlmError } from '@user-llm/tensor';
import type { BatchCursor } from './batch-cursor.js';
import type { CheckedRecipe } from './batch-recipe.js';
import type { SequenceRange } from './batch-sequence.js';
import type { BatchArrays } from './batch.js';
import { takenMessage, type PrefetchJob, type PrefetchMessage } from './prefetch-protocol.js';
import type { TimelineSource } from './timeline-source.js';

/**
 * `batchSequence`, made in a worker thread: timelines in memory are shared with it, batches are moved, not copied.
 *
 * @throws UserLlmError what the worker threw; `worker-ended` when it ended before its batches did.
 */
export async function* prefetchedSequence(
  source: TimelineSource,
  recipe: CheckedRecipe,
  range: SequenceRange,
  { ahead, worker: script = new URL('./prefetch-worker.js', import.meta.url) }: { ahead: number; worker?: URL },
): AsyncGenerator<BatchArrays & { readonly next: BatchCursor }> {
  const job: PrefetchJob = { source: source.share(), recipe, range, ahead: Math.max(1, ahead) };
  const worker = new Worker(script, { workerData: job });
  const messages: PrefetchMessage[] = [];
  let failure: Error | undefined;
  let wake = (): void => undefined;
  worker.on('message', (message: PrefetchMessage) => {
    messages.push(message);
    wake();
  });
  worker.on('error', (error) => {
    failure = error instanceof Error ? error : new Error(String(error));
    wake();
  });
  worker.on('exit', () => {
    failure ??= new UserLlmError('worker-ended', {
      what: 'worker that makes batches',
      expected: 'batches',
      got: 'its end',
    });
    wake();
  });
  try {
    for (;;) {
      const message = messages.shift();
      if (message === undefined) {
        if (failure !== undefined) throw failure;
        await new Promise<void>((resolve) => (wake = resolve));
      } else if (message.kind === 'batch') {
        worker.postMessage(takenMessage);
        yield message.batch;
      } else if (message.kind === 'error') {
        throw new UserLlmError(message.code, message.details);
      } else {
        return;
      }
    }
  } finally {
    await worker.terminate();
  }
}

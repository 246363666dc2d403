import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { UserLlmError } from '@user-llm/tensor';
import { batchSequence } from './batch-sequence.js';
import { EventTokenizer } from './event-tokenizer.js';
import { openParquetTimelines } from './parquet-timelines.js';
import type { PrefetchJob, PrefetchMessage } from './prefetch-protocol.js';
import { sharedTimelines, type SharedSource, type TimelineSource } from './timeline-source.js';
import { Timelines } from './timelines.js';

/** The source that the job describes. */
async function openSource(shared: SharedSource): Promise<TimelineSource> {
  if (shared.kind === 'memory') return sharedTimelines(new Timelines(shared.columns), shared.fingerprint);
  const { schema } = shared.tokenizer as Pick<EventTokenizer, 'schema'>;
  const tokenizer = EventTokenizer.fromJSON(shared.tokenizer, schema);
  return openParquetTimelines(shared.path, tokenizer, { memoryLimit: shared.memoryLimit });
}

/** Makes batches as long as there is leave to, and waits for leave. */
async function run(port: MessagePort, { source, recipe, range, ahead }: PrefetchJob): Promise<void> {
  let leave = ahead;
  let wake = (): void => undefined;
  port.on('message', () => {
    leave++;
    wake();
  });
  for await (const batch of batchSequence(await openSource(source), recipe, range)) {
    if (leave === 0) await new Promise<void>((resolve) => (wake = resolve));
    leave--;
    const arrays = [...Object.values(batch.columns), ...Object.values(batch.labels), batch.mask, batch.lengths];
    send(
      port,
      { kind: 'batch', batch },
      arrays.map((array) => array.buffer as ArrayBuffer),
    );
  }
  send(port, { kind: 'end' });
}

function send(port: MessagePort, message: PrefetchMessage, moved: ArrayBuffer[] = []): void {
  port.postMessage(message, moved);
}

/** An error as plain data: the code and details of our own, the message of any other. */
function errorMessage(error: unknown): PrefetchMessage {
  if (UserLlmError.isInstance(error)) {
    const { what, expected, got, mend } = error.details;
    const details = Object.entries({ expected, got, mend }).filter(([, text]) => text !== undefined);
    return { kind: 'error', code: error.code, details: { what, ...Object.fromEntries(details) } };
  }
  const got = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: 'error', code: 'worker-failed', details: { what: 'worker that makes batches', got } };
}

if (parentPort !== null) {
  const port = parentPort;
  run(port, workerData as PrefetchJob).catch((error: unknown) => send(port, errorMessage(error)));
}

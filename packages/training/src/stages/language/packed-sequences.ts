import { Random, Tensor, UserLlmError } from '@user-llm/tensor';
import type { JsonValue } from '@user-llm/plugin';
import type { TrainingBatch } from '../../loop/training-task.js';

// B batch, L tokens of a sequence.

/** The label of a token that does not count. */
const ignored = -100;

/** The sizes of batches of packed texts. */
export interface PackedShape {
  readonly batchSize: number;
  readonly sequenceTokens: number;
}

interface Cursor {
  readonly epoch: number;
  readonly batch: number;
}

/**
 * Texts in random order, one after the other, cut into sequences of equal length, without end: another order in each
 * epoch, and what does not fill a batch is left out.
 *
 * @param texts Tokens of each text.
 * @throws UserLlmError `no-texts` when they do not fill one batch.
 */
export async function* packedBatches(
  texts: readonly (readonly number[])[],
  { batchSize, sequenceTokens }: PackedShape,
  seed: number,
  from: JsonValue | undefined,
): AsyncGenerator<TrainingBatch> {
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  const perBatch = batchSize * sequenceTokens;
  // One token more than is read, since each token's label is the one after it.
  const batches = Math.floor((total - 1) / perBatch);
  if (batches < 1) throw tooFew(total, perBatch + 1);
  const random = Random.fromSeed(seed).split('order of texts');
  const start: Cursor = from === undefined ? { epoch: 0, batch: 0 } : (from as unknown as Cursor);
  for (let epoch = start.epoch; ; epoch++) {
    const stream = joined(texts, random.at(epoch).permutation(texts.length));
    for (let batch = epoch === start.epoch ? start.batch : 0; batch < batches; batch++) {
      const first = batch * perBatch;
      yield {
        feeds: packedFeeds(stream, first, { batchSize, sequenceTokens }),
        examples: batchSize,
        contents: { epoch, tokens: [first, first + perBatch] },
        cursor: { epoch, batch: batch + 1 },
      };
      await Promise.resolve();
    }
  }
}

/**
 * A batch as feeds: `tokens` `[B, L]`, and the token after each, `labels` `[B * L]`; -100 behind the end of the stream.
 */
export function packedFeeds(
  stream: Int32Array,
  first: number,
  { batchSize, sequenceTokens }: PackedShape,
): Record<'tokens' | 'labels', Tensor> {
  const size = batchSize * sequenceTokens;
  const tokens = new Int32Array(size);
  const labels = new Int32Array(size).fill(ignored);
  tokens.set(stream.subarray(first, first + size));
  labels.set(stream.subarray(first + 1, first + 1 + size));
  return {
    tokens: new Tensor('int32', ['batch', 'token'], [batchSize, sequenceTokens], tokens),
    labels: new Tensor('int32', ['row'], [size], labels),
  };
}

/** All texts in an order as one array. */
export function joined(texts: readonly (readonly number[])[], order: Iterable<number>): Int32Array {
  const stream = new Int32Array(texts.reduce((sum, text) => sum + text.length, 0));
  let at = 0;
  for (const text of order) {
    stream.set(texts[text]!, at);
    at += texts[text]!.length;
  }
  return stream;
}

function tooFew(got: number, expected: number): UserLlmError {
  return new UserLlmError('no-texts', {
    what: 'texts',
    expected: `at least ${expected} tokens, which fill a batch`,
    got: `${got}`,
    mend: 'Give more texts, or lower batchSize or sequenceTokens.',
  });
}

import { input, type Symbolic } from '@user-llm/graph';
import { Tensor } from '@user-llm/tensor';
import type { TokenExample } from './token-example.js';

// B batch, L tokens, R rows that predict.

/** The label of a row that does not count. */
const ignored = -100;

/** The sizes that batches are padded to, so that few graphs are compiled. */
export interface AnswerShape {
  /** Rows of a batch. */
  readonly batchSize: number;
  /** Lengths in tokens, ascending. */
  readonly tokenBuckets: readonly number[];
}

/**
 * A batch of examples as feeds: `tokens` `[B, L]`, `rows` `[R]`, `labels` `[R]`.
 *
 * @param examples At most `batchSize`; missing ones are rows of token 0 that nothing is predicted of.
 */
export function answerFeeds(
  examples: readonly TokenExample[],
  { batchSize, tokenBuckets }: AnswerShape,
): Readonly<Record<'tokens' | 'rows' | 'labels', Tensor>> {
  const longest = Math.max(1, ...examples.map(({ tokens }) => tokens.length));
  const length = tokenBuckets.find((bound) => bound >= longest) ?? longest;
  const tokens = new Int32Array(batchSize * length);
  const rows: number[] = [];
  const labels: number[] = [];
  examples.forEach((example, row) => {
    tokens.set(example.tokens, row * length);
    example.answer.forEach((token, at) => {
      rows.push(row * length + example.from + at);
      labels.push(token);
    });
  });
  // Coarse, since each number of rows is compiled anew and an idle row costs little.
  let count = Math.max(32, 8 * batchSize);
  while (count < rows.length) count *= 2;
  while (rows.length < count) {
    rows.push(0);
    labels.push(ignored);
  }
  return {
    tokens: new Tensor('int32', ['batch', 'token'], [batchSize, length], tokens),
    rows: new Tensor('int32', ['row'], [count], Int32Array.from(rows)),
    labels: new Tensor('int32', ['row'], [count], Int32Array.from(labels)),
  };
}

/** The inputs of a graph that `answerFeeds` are fed to. */
export interface AnswerInputs {
  readonly tokens: Symbolic<'int32', readonly ['batch', 'token']>;
  readonly rows: Symbolic<'int32', readonly ['row']>;
  readonly labels: Symbolic<'int32', readonly ['row']>;
}

/** Inputs of a graph for feeds of these shapes. */
export function answerInputs(shapes: Readonly<Record<string, readonly number[]>>): AnswerInputs {
  const [batch, length] = shapes['tokens'] as readonly [number, number];
  const [rows] = shapes['rows'] as readonly [number];
  return {
    tokens: input('tokens', 'int32', ['batch', 'token'], [batch, length]),
    rows: input('rows', 'int32', ['row'], [rows]),
    labels: input('labels', 'int32', ['row'], [rows]),
  };
}

/** Lengths, in tokens, that batches are padded to: steps of 16 at first, then growing by a quarter, the largest last. */
export function defaultTokenBuckets(maximum: number): number[] {
  const buckets: number[] = [];
  for (let bound = 16; bound < maximum; bound += bound < 64 ? 16 : 8 * Math.ceil(bound / 32)) buckets.push(bound);
  return [...buckets, maximum];
}

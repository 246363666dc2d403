import { input, type Symbolic } from '@user-llm/graph';
import { Tensor } from '@user-llm/tensor';
import { allowedTokens, type TokenChoice } from '@user-llm/user-llm';
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
  /** Tokens of the LLM, where some of the answers are constrained. */
  readonly vocabularySize?: number | undefined;
}

/** The feeds of a batch of answers. */
export interface AnswerFeeds extends Readonly<Record<string, Tensor>> {
  /** `[B, L]` */
  readonly tokens: Tensor;
  /** `[R]` */
  readonly rows: Tensor;
  /** `[R]` */
  readonly labels: Tensor;
}

/**
 * A batch of examples as feeds: `tokens` `[B, L]`, `rows` `[R]`, `labels` `[R]`, and `allowed` `[R, V]` where answers may be
 * constrained.
 *
 * @param examples At most `batchSize`; missing ones are rows of token 0 that nothing is predicted of.
 */
export function answerFeeds(
  examples: readonly TokenExample[],
  { batchSize, tokenBuckets, vocabularySize }: AnswerShape,
): AnswerFeeds {
  const longest = Math.max(1, ...examples.map(({ tokens }) => tokens.length));
  const length = tokenBuckets.find((bound) => bound >= longest) ?? longest;
  const tokens = new Int32Array(batchSize * length);
  const rows: number[] = [];
  const labels: number[] = [];
  const chosen: Pick<TokenChoice, 'among'>[] = [];
  examples.forEach((example, row) => {
    tokens.set(example.tokens, row * length);
    for (const choice of example.choices) {
      rows.push(row * length + example.from + choice.at);
      labels.push(example.answer[choice.at]!);
      chosen.push(choice);
    }
  });
  // Doubled, since each number of rows is compiled anew. An idle row costs little, but for one that is chosen among
  // tokens: it is masked over the vocabulary.
  let count = Math.max(32, (vocabularySize === undefined ? 8 : 1) * batchSize);
  while (count < rows.length) count *= 2;
  while (rows.length < count) {
    rows.push(0);
    labels.push(ignored);
    chosen.push({});
  }
  return {
    tokens: new Tensor('int32', ['batch', 'token'], [batchSize, length], tokens),
    rows: new Tensor('int32', ['row'], [count], Int32Array.from(rows)),
    labels: new Tensor('int32', ['row'], [count], Int32Array.from(labels)),
    ...(vocabularySize !== undefined && { allowed: allowedTokens(chosen, vocabularySize) }),
  };
}

/** The inputs of a graph that `answerFeeds` are fed to. */
export interface AnswerInputs {
  readonly tokens: Symbolic<'int32', readonly ['batch', 'token']>;
  readonly rows: Symbolic<'int32', readonly ['row']>;
  readonly labels: Symbolic<'int32', readonly ['row']>;
  readonly allowed?: Symbolic<'bool', readonly ['row', 'vocabulary']>;
}

/** Inputs of a graph for feeds of these shapes. */
export function answerInputs(shapes: Readonly<Record<string, readonly number[]>>): AnswerInputs {
  const [batch, length] = shapes['tokens'] as readonly [number, number];
  const [rows] = shapes['rows'] as readonly [number];
  const { allowed } = shapes;
  return {
    tokens: input('tokens', 'int32', ['batch', 'token'], [batch, length]),
    rows: input('rows', 'int32', ['row'], [rows]),
    labels: input('labels', 'int32', ['row'], [rows]),
    ...(allowed && { allowed: input('allowed', 'bool', ['row', 'vocabulary'], allowed as readonly [number, number]) }),
  };
}

/** Lengths, in tokens, that batches are padded to: steps of 16 at first, then growing by a quarter, the largest last. */
export function defaultTokenBuckets(maximum: number): number[] {
  const buckets: number[] = [];
  for (let bound = 16; bound < maximum; bound += bound < 64 ? 16 : 8 * Math.ceil(bound / 32)) buckets.push(bound);
  return [...buckets, maximum];
}

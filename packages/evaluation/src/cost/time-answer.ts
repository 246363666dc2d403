import { milliseconds, type AnswerCost } from './answer-cost.js';

/** How often an answer is timed. */
export interface TimingOptions {
  /** Measurements; 5 when absent. */
  readonly repeats?: number;
  /** Runs before them that do not count, so that what is compiled once is compiled; 1 when absent. */
  readonly warmUps?: number;
}

/**
 * Measures the wall time of an answer from the question to its first token and to its last; where the first token is the
 * one that ends the answer, both are the same.
 *
 * @param answer Starts the answer, everything that it takes included, and gives it token by token.
 * @returns Times, and the number of tokens that were given.
 */
export async function timeAnswer(
  answer: () => AsyncIterable<unknown>,
  { repeats = 5, warmUps = 1 }: TimingOptions = {},
): Promise<Pick<AnswerCost, 'firstToken' | 'answer' | 'answerTokens'>> {
  const firsts: number[] = [];
  const wholes: number[] = [];
  let tokens = 0;
  for (let run = 0; run < warmUps + repeats; run++) {
    const started = performance.now();
    let first: number | undefined;
    tokens = 0;
    for await (const token of answer()) {
      void token;
      first ??= performance.now() - started;
      tokens++;
    }
    const whole = performance.now() - started;
    if (run < warmUps) continue;
    firsts.push(first ?? whole);
    wholes.push(whole);
  }
  return { firstToken: milliseconds(firsts), answer: milliseconds(wholes), answerTokens: tokens };
}

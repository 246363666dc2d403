import { UserLlmError } from '@user-llm/tensor';
import { milliseconds, type AnswerCost } from './answer-cost.js';

/** How often an answer is timed. */
export interface TimingOptions {
  /** Measurements; 5 when absent. */
  readonly repeats?: number;
  /** Runs before them that do not count, so that what is compiled once is compiled; 1 when absent. */
  readonly warmUps?: number;
}

/**
 * Measures the wall time of an answer from the question to its first token and to its last.
 *
 * @param answer Starts the answer, everything that it takes included, and gives it token by token.
 * @throws UserLlmError `no-answer` when it gives no token at all.
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
    if (first === undefined) {
      throw new UserLlmError('no-answer', {
        what: 'timing of an answer',
        expected: 'at least one token',
        got: 'none',
        mend: 'Let it answer without its ending token, or ask something else.',
      });
    }
    if (run < warmUps) continue;
    firsts.push(first);
    wholes.push(performance.now() - started);
  }
  return { firstToken: milliseconds(firsts), answer: milliseconds(wholes), answerTokens: tokens };
}

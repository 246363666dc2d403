import type { RandomStream } from '@user-llm/tensor';
import { processLogits, type LogitsProcessing } from './process-logits.js';

/** What `chooseToken` goes by. */
export type TokenChoice = LogitsProcessing;

/**
 * The next token: the likeliest at temperature 0, else a sample of what `processLogits` leaves.
 *
 * @param logits `[vocabulary]`; they are overwritten.
 * @param seen Tokens that occurred already, each once.
 * @throws UserLlmError as `processLogits`.
 */
export function chooseToken(
  logits: Float32Array,
  choice: TokenChoice,
  seen: Iterable<number>,
  random: RandomStream,
): number {
  processLogits(logits, choice, seen);
  return choice.temperature === 0 ? likeliest(logits) : sample(logits, random);
}

/** The token of the largest logit, the first of equal ones. */
export function likeliest(logits: ArrayLike<number>): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++) if (logits[token]! > logits[best]!) best = token;
  return best;
}

/** A token drawn by its probability. */
function sample(logits: Float32Array, random: RandomStream): number {
  const largest = logits[likeliest(logits)]!;
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - largest);
  let left = random.uniform() * total;
  let last = 0;
  for (let token = 0; token < logits.length; token++) {
    const weight = Math.exp(logits[token]! - largest);
    if (weight === 0) continue;
    left -= weight;
    last = token;
    if (left < 0) break;
  }
  return last;
}

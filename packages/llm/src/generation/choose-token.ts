import type { RandomStream } from '@user-llm/tensor';
import type { ParsedGenerationOptions } from './generation-options.js';

/** What `chooseToken` goes by. */
export type TokenChoice = Pick<ParsedGenerationOptions, 'temperature' | 'topK' | 'topP' | 'repetitionPenalty'>;

/**
 * The next token: the likeliest at temperature 0, else a sample. In the order of Hugging Face: penalty of repetitions
 * (Keskar et al. 2019), temperature, top-k, top-p (Holtzman et al. 2020).
 *
 * @param logits `[vocabulary]`; they are overwritten.
 * @param seen Tokens that occurred already, each once.
 */
export function chooseToken(
  logits: Float32Array,
  { temperature, topK, topP, repetitionPenalty }: TokenChoice,
  seen: Iterable<number>,
  random: RandomStream,
): number {
  if (repetitionPenalty !== 1) {
    for (const token of seen) {
      const logit = logits[token]!;
      logits[token] = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty;
    }
  }
  if (temperature === 0) return likeliest(logits);
  for (let token = 0; token < logits.length; token++) logits[token]! /= temperature;
  const narrowed = topK !== undefined && topK < logits.length;
  if (!narrowed && (topP === undefined || topP === 1)) return sample(logits, undefined, random);
  const order = Int32Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]! || a - b);
  const first = narrowed ? order.subarray(0, topK) : order;
  return sample(logits, topP === undefined ? first : nucleus(logits, first, topP), random);
}

/** The token of the largest logit, the first of equal ones. */
export function likeliest(logits: ArrayLike<number>): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++) if (logits[token]! > logits[best]!) best = token;
  return best;
}

/** The shortest start of the order whose probabilities, among it, add up to the share. */
function nucleus(logits: Float32Array, order: Int32Array, share: number): Int32Array {
  const largest = logits[order[0]!]!;
  const weights = Array.from(order, (token) => Math.exp(logits[token]! - largest));
  const enough = share * weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  const end = weights.findIndex((weight) => (sum += weight) >= enough);
  return order.subarray(0, end === -1 ? order.length : end + 1);
}

/** One of the tokens, or of all, drawn by its probability. */
function sample(logits: Float32Array, among: Int32Array | undefined, random: RandomStream): number {
  const count = among?.length ?? logits.length;
  const logit = (at: number): number => logits[among ? among[at]! : at]!;
  let largest = -Infinity;
  for (let at = 0; at < count; at++) largest = Math.max(largest, logit(at));
  let total = 0;
  for (let at = 0; at < count; at++) total += Math.exp(logit(at) - largest);
  let left = random.uniform() * total;
  let chosen = count - 1;
  for (let at = 0; at < count; at++) {
    left -= Math.exp(logit(at) - largest);
    if (left < 0) {
      chosen = at;
      break;
    }
  }
  return among ? among[chosen]! : chosen;
}

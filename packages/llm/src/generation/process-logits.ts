import { notFinite } from '../ranking/not-finite.js';
import type { ParsedGenerationOptions } from './generation-options.js';

/** What logits are processed by. */
export type LogitsProcessing = Pick<
  ParsedGenerationOptions,
  'temperature' | 'topK' | 'topP' | 'minP' | 'repetitionPenalty'
>;

/**
 * Processes logits in place as transformers does, in its order: penalty of repetitions (Keskar et al. 2019),
 * temperature, top-k, top-p (Holtzman et al. 2020), min-p (Nguyen et al. 2024). Tokens that are not to be sampled become
 * minus infinity; at temperature 0, where nothing is sampled, the penalty alone counts.
 *
 * @param logits `[vocabulary]`
 * @param seen Tokens that occurred already, each once.
 * @throws UserLlmError `not-finite` for logits that hold NaN or plus infinity, or none that is finite.
 */
export function processLogits(
  logits: Float32Array,
  { temperature, topK, topP, minP, repetitionPenalty }: LogitsProcessing,
  seen: Iterable<number>,
): void {
  penalizeRepetitions(logits, repetitionPenalty, seen);
  const largest = largestOf(logits);
  if (!Number.isFinite(largest)) throw notFinite('logits', largest);
  if (temperature === 0) return;
  if (temperature !== 1) divide(logits, temperature, largest);
  const likeliest = topK !== undefined && topK < logits.length ? topK : undefined;
  const share = topP !== undefined && topP < 1 ? topP : undefined;
  if (likeliest !== undefined || share !== undefined)
    dropBelow(logits, leastOfLikeliest(logits, likeliest ?? logits.length, share));
  if (minP !== undefined && minP > 0) dropBelow(logits, largestOf(logits) + Math.log(minP));
}

/** Divides by a temperature; where that is so small that logits would become infinite, their distances to the largest. */
function divide(logits: Float32Array, temperature: number, largest: number): void {
  const shift = Number.isFinite(Math.fround(largest / temperature)) ? 0 : largest;
  for (let token = 0; token < logits.length; token++) logits[token] = (logits[token]! - shift) / temperature;
}

/** Divides positive values, and multiplies negative ones, of tokens that occurred. */
export function penalizeRepetitions(logits: Float32Array, penalty: number, seen: Iterable<number>): void {
  if (penalty === 1) return;
  for (const token of seen) {
    const logit = logits[token]!;
    logits[token] = logit > 0 ? logit / penalty : logit * penalty;
  }
}

/**
 * The least logit among the likeliest tokens: of so many, and of those the fewest whose probabilities, among them, reach
 * the share.
 */
function leastOfLikeliest(logits: Float32Array, count: number, share: number | undefined): number {
  const ascending = logits.slice().sort();
  const from = ascending.length - count;
  if (share === undefined) return ascending[from]!;
  const largest = ascending.at(-1)!;
  let total = 0;
  for (let at = from; at < ascending.length; at++) total += Math.exp(ascending[at]! - largest);
  let at = ascending.length - 1;
  for (let sum = Math.exp(ascending[at]! - largest); at > from && sum < share * total;) {
    at--;
    sum += Math.exp(ascending[at]! - largest);
  }
  return ascending[at]!;
}

function dropBelow(logits: Float32Array, least: number): void {
  for (let token = 0; token < logits.length; token++) if (logits[token]! < least) logits[token] = -Infinity;
}

function largestOf(logits: Float32Array): number {
  let largest = -Infinity;
  for (const logit of logits) largest = Math.max(largest, logit);
  return largest;
}

import type { Metric, WrittenAnswer } from '@user-llm/plugin';
import { bleuTokenizers, type BleuTokenizer } from './bleu-tokenizers.js';
import { nGramCounts, overlap } from './n-grams.js';

/** How BLEU is computed; the defaults are sacreBLEU's. */
export interface BleuOptions {
  readonly tokenizer?: BleuTokenizer;
  readonly lowercase?: boolean;
  /** What an order without a match counts for: halves, quarters... (`exp`), 0.1 (`floor`), one more (`add-k`), nothing. */
  readonly smoothing?: 'exp' | 'floor' | 'add-k' | 'none';
  /** Whether orders that the texts are too short for are left out; for single sentences. */
  readonly effectiveOrder?: boolean;
}

const orders = [1, 2, 3, 4] as const;

/**
 * BLEU over all texts together, 0 to 100, equal to sacreBLEU's with one reference per text (Papineni et al., ACL 2002;
 * M. Post, "A call for clarity in reporting BLEU scores", WMT 2018). `NaN` for no texts.
 */
export function bleuScore(answers: readonly WrittenAnswer[], options: BleuOptions = {}): number {
  if (answers.length === 0) return NaN;
  const { tokenizer = '13a', lowercase = false, smoothing = 'exp', effectiveOrder = false } = options;
  const words = (text: string) => bleuTokenizers[tokenizer]((lowercase ? text.toLowerCase() : text).trimEnd());
  const correct = orders.map(() => 0);
  const total = orders.map(() => 0);
  let predictedLength = 0;
  let referenceLength = 0;
  for (const { prediction, reference } of answers) {
    const predicted = words(prediction);
    const expected = words(reference);
    predictedLength += predicted.length;
    referenceLength += expected.length;
    orders.forEach((order, index) => {
      correct[index]! += overlap(nGramCounts(predicted, order), nGramCounts(expected, order));
      total[index]! += Math.max(0, predicted.length - order + 1);
    });
  }
  if (correct.every((count) => count === 0)) return 0;
  const brevity = predictedLength < referenceLength ? Math.exp(1 - referenceLength / predictedLength) : 1;
  const precisions = smoothed(correct, total, smoothing);
  const used = effectiveOrder ? precisions.filter((_, index) => total[index]! > 0).length : orders.length;
  const logarithms = Array.from({ length: used }, (_, index) => logarithm(precisions[index] ?? 0));
  return brevity * Math.exp(logarithms.reduce((sum, value) => sum + value, 0) / used);
}

/** BLEU over all texts together, 0 to 100. */
export function bleu(options: BleuOptions = {}): Metric<'text'> {
  return {
    specVersion: 1,
    name: 'bleu',
    answers: 'text',
    higherIsBetter: true,
    score: (answers) => ({ value: bleuScore(answers, options) }),
  };
}

/** Precisions in percent by order, as far as the texts reach. */
function smoothed(
  correct: readonly number[],
  total: readonly number[],
  smoothing: NonNullable<BleuOptions['smoothing']>,
): number[] {
  const precisions: number[] = [];
  let halves = 1;
  for (const index of orders.keys()) {
    const more = smoothing === 'add-k' && index > 0 ? 1 : 0;
    const matched = correct[index]! + more;
    const possible = total[index]! + more;
    if (possible === 0) break;
    if (matched > 0) precisions.push((100 * matched) / possible);
    else if (smoothing === 'exp') precisions.push(100 / ((halves *= 2) * possible));
    else precisions.push(smoothing === 'floor' ? 10 / possible : 0);
  }
  return precisions;
}

/** The natural logarithm, with a very small number in place of minus infinity. */
function logarithm(value: number): number {
  return value === 0 ? -9999999999 : Math.log(value);
}

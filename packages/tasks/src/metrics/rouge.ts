import type { Metric } from '@user-llm/plugin';
import { meanScore } from './mean.js';
import { nGramCounts, overlap } from './n-grams.js';
import { porterStem } from './porter-stemmer.js';

/** Which ROUGE: shared words, shared pairs of words, or the longest common subsequence. */
export type RougeKind = 'rouge1' | 'rouge2' | 'rougeL';

/** How texts become words. */
export interface RougeOptions {
  /** Whether words of more than three letters are stemmed, as the reference implementation does on request. */
  readonly stemming?: boolean;
}

/** How much of two texts is shared: 0 to 1. */
export interface RougeScore {
  /** Share of the prediction. */
  readonly precision: number;
  /** Share of the reference. */
  readonly recall: number;
  /** Harmonic mean of both. */
  readonly f1: number;
}

/**
 * The words that ROUGE's reference implementation sees: runs of `a-z` and `0-9` in lower case. Letters of other
 * alphabets are separators, so texts without Latin letters have no words and score 0.
 */
export function rougeWords(text: string, { stemming = false }: RougeOptions = {}): string[] {
  const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return stemming ? words.map((word) => (word.length > 3 ? porterStem(word) : word)) : words;
}

/** ROUGE of one text against its reference, equal to `rouge_score`'s (C.-Y. Lin, "ROUGE", ACL workshop 2004). */
export function rougeScore(
  kind: RougeKind,
  prediction: string,
  reference: string,
  options: RougeOptions = {},
): RougeScore {
  const predicted = rougeWords(prediction, options);
  const expected = rougeWords(reference, options);
  if (kind === 'rougeL') {
    return scoreOf(longestCommonSubsequence(predicted, expected), predicted.length, expected.length);
  }
  const order = kind === 'rouge1' ? 1 : 2;
  const shared = overlap(nGramCounts(predicted, order), nGramCounts(expected, order));
  return scoreOf(shared, predicted.length - order + 1, expected.length - order + 1);
}

/** ROUGE F1 averaged over texts, 0 to 1. */
export function rouge(kind: RougeKind, options: RougeOptions = {}): Metric<'text'> {
  return {
    specVersion: 1,
    name: options.stemming === true ? `${kind}-stemmed` : kind,
    answers: 'text',
    higherIsBetter: true,
    score: (answers) =>
      meanScore(answers.map(({ prediction, reference }) => rougeScore(kind, prediction, reference, options).f1)),
  };
}

function scoreOf(shared: number, predicted: number, expected: number): RougeScore {
  const precision = shared / Math.max(predicted, 1);
  const recall = shared / Math.max(expected, 1);
  const f1 = precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
  return { precision, recall, f1 };
}

/** Length of the longest sequence of words that both texts have in order, not necessarily side by side. */
function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  const lengths = new Int32Array(b.length + 1);
  for (const word of a) {
    let diagonal = 0;
    for (let at = 1; at <= b.length; at++) {
      const above = lengths[at]!;
      lengths[at] = b[at - 1] === word ? diagonal + 1 : Math.max(above, lengths[at - 1]!);
      diagonal = above;
    }
  }
  return lengths[b.length]!;
}

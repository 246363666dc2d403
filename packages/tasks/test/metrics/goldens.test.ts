import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  accuracy,
  bleuScore,
  distinct,
  hitRateAt,
  ndcgAt,
  porterStem,
  rankOf,
  recallAt,
  reciprocalRankAt,
  rougeScore,
  type BleuTokenizer,
  type RougeKind,
} from '../../src/index.js';

interface BleuRow {
  readonly tokenizer: BleuTokenizer;
  readonly smoothing: 'exp' | 'floor' | 'add-k' | 'none';
  readonly lowercase: boolean;
  readonly first: number | null;
  readonly length: number;
  readonly pair: readonly [string, string] | null;
  readonly score: number;
}

interface RankingRow {
  readonly scores: readonly number[];
  readonly targets: readonly number[];
  readonly ranks: readonly number[];
  readonly ndcg: Readonly<Record<string, number>>;
  readonly recall: Readonly<Record<string, number>>;
  readonly reciprocal?: number;
}

interface Goldens {
  readonly pairs: readonly (readonly [prediction: string, reference: string])[];
  readonly rouge: readonly Readonly<Record<'plain' | 'stemmed', Readonly<Record<RougeKind, readonly number[]>>>>[];
  readonly bleu: readonly BleuRow[];
  readonly sentence_bleu: readonly number[];
  readonly stems: string;
  readonly ranking: readonly RankingRow[];
  readonly accuracy: { readonly prediction: string[]; readonly reference: string[]; readonly score: number };
  readonly distinct: readonly { readonly order: number; readonly texts: readonly string[]; readonly score: number }[];
}

const goldens = JSON.parse(readFileSync(new URL('../goldens/metrics.json', import.meta.url), 'utf8')) as Goldens;
const answers = goldens.pairs.map(([prediction, reference]) => ({ prediction, reference }));

describe('metrics against their references', () => {
  it('stems as NLTK does for rouge_score', () => {
    const stems = goldens.stems.split(' ').map((entry) => entry.split(':') as [string, string]);
    expect(stems.length).toBeGreaterThan(5000);
    const wrong = stems.filter(([word, stem]) => porterStem(word) !== stem);
    expect(wrong.map(([word, stem]) => `${word}: ${porterStem(word)} for ${stem}`)).toEqual([]);
  });

  it.each(['rouge1', 'rouge2', 'rougeL'] as const)('%s equals rouge_score, plain and stemmed', (kind) => {
    goldens.pairs.forEach(([prediction, reference], index) => {
      for (const form of ['plain', 'stemmed'] as const) {
        const score = rougeScore(kind, prediction, reference, { stemming: form === 'stemmed' });
        const expected = goldens.rouge[index]![form][kind];
        [score.precision, score.recall, score.f1].forEach((value, part) => {
          expect(value, `${form} of ${JSON.stringify(goldens.pairs[index])}`).toBeCloseTo(expected[part]!, 12);
        });
      }
    });
  });

  it.each(['13a', 'intl', 'char', 'none'] as const)('BLEU with tokens of %s equals sacreBLEU', (tokenizer) => {
    const rows = goldens.bleu.filter((row) => row.tokenizer === tokenizer);
    expect(rows.length).toBeGreaterThan(40);
    for (const { first, length, pair, score, smoothing, lowercase } of rows) {
      const chunk =
        first === null ? [{ prediction: pair![0], reference: pair![1] }] : answers.slice(first, first + length);
      const found = bleuScore(chunk, { tokenizer, smoothing, lowercase });
      expect(found, `${smoothing}, lowercase ${lowercase}, ${first ?? pair} + ${length}`).toBeCloseTo(score, 9);
    }
  });

  it('BLEU of single sentences equals sacreBLEU', () => {
    answers.forEach((answer, index) => {
      const found = bleuScore([answer], { effectiveOrder: true });
      expect(found, JSON.stringify(answer)).toBeCloseTo(goldens.sentence_bleu[index]!, 9);
    });
  });

  it('ranks and what is made of them equal scikit-learn, ties against the model', () => {
    expect(goldens.ranking.length).toBeGreaterThan(30);
    for (const row of goldens.ranking) {
      const others = (target: number) => row.targets.filter((other) => other !== target);
      if (row.targets.length === 1) expect(rankOf(row.scores, row.targets[0]!)).toBe(row.ranks[0]);
      for (const target of row.targets) {
        const ahead = others(target).filter((other) => row.scores[other]! >= row.scores[target]!).length;
        const alone = rankOf(row.scores, target, { excluded: others(target) });
        expect(row.ranks[row.targets.indexOf(target)]).toBe(alone + ahead);
      }
      for (const [k, score] of Object.entries(row.ndcg)) {
        expect(ndcgAt(Number(k)).score([{ ranks: row.ranks }]).value).toBeCloseTo(score, 12);
      }
      for (const [k, score] of Object.entries(row.recall)) {
        expect(recallAt(Number(k)).score([{ ranks: row.ranks }]).value).toBe(score);
        expect(hitRateAt(Number(k)).score([{ ranks: row.ranks }]).value).toBe(score);
      }
      if (row.reciprocal !== undefined) {
        expect(reciprocalRankAt(row.scores.length).score([{ ranks: row.ranks }]).value).toBeCloseTo(row.reciprocal, 12);
      }
    }
  });

  it('accuracy equals scikit-learn', () => {
    const { prediction, reference, score } = goldens.accuracy;
    const labels = prediction.map((label, index) => ({ prediction: label, reference: reference[index]! }));
    expect(accuracy({ exact: true }).score(labels).value).toBeCloseTo(score, 12);
    expect(accuracy().score(labels).value).toBeCloseTo(score, 12);
  });

  it.each(goldens.distinct)('distinct-$order equals a count with nltk', ({ order, texts, score }) => {
    const written = texts.map((prediction) => ({ prediction, reference: '' }));
    expect(distinct(order).score(written).value).toBeCloseTo(score, 12);
  });
});

import type { AnswerOf, Metric, RankedAnswer, Score, WrittenAnswer } from '../metric.js';
import type { AnswerKind } from '../task.js';
import { demand, type Check } from './check.js';

const words = 'a film about love and war that nobody in the whole town wanted to see twice'.split(' ');

/** Answers that are as good as they can be, for each kind. */
const perfect: { readonly [Kind in AnswerKind]: readonly AnswerOf[Kind][] } = {
  item: Array.from({ length: 12 }, (): RankedAnswer => ({ ranks: [1] })),
  label: words.slice(0, 12).map((word) => written(word, word)),
  text: sentences().map((sentence) => written(sentence, sentence)),
};

/** Answers that could hardly be worse: far ranks, and one word over and over. */
const hopeless: typeof perfect = {
  item: perfect.item.map(() => ({ ranks: [1_000_000] })),
  label: perfect.label.map(({ reference }) => written('zzz', reference)),
  text: perfect.text.map(({ reference }) => written('zzz zzz zzz zzz zzz zzz', reference)),
};

/** Answers of all sorts, the oddest that can come included. */
const mixed: typeof perfect = {
  item: [1, 2, 3, 5, 8, 13, 27, 400, 1e6].map((rank) => ({ ranks: [rank] })).concat([{ ranks: [2, 9, 40] }]),
  label: [...perfect.label, ...hopeless.label, written('', 'love'), written('?!', '!?'), written('爱 😀', '爱')],
  text: [...perfect.text, ...hopeless.text, written('', 'a film'), written('a film', ''), written('爱 😀', '爱')],
};

/**
 * What every metric must do: score no answers as NaN and any others as a number; give, where it scores answers one by
 * one, one figure each whose mean is the value; depend neither on the order of the answers nor on an earlier call; and
 * put perfect answers above hopeless ones, as `higherIsBetter` says.
 */
export function metricChecks(metric: Metric): readonly Check[] {
  const kind = metric.answers;
  const score = (answers: readonly AnswerOf[AnswerKind][]): Score => metric.score(answers.map(frozen));
  const check = (name: string, run: () => void): Check => ({ name, run: () => Promise.resolve().then(run) });
  return [
    check('scores no answers as not a number', () => {
      const { value } = score([]);
      demand(Number.isNaN(value), 'value of no answers', 'NaN', String(value));
    }),
    check('scores any answers as a number', () => {
      for (const answers of [perfect[kind], hopeless[kind], mixed[kind]]) {
        const { value, each = [] } = score(answers);
        const numbers = [value, ...each];
        demand(numbers.every(Number.isFinite), `scores of ${answers.length} answers`, 'numbers', numbers.join(' '));
      }
    }),
    check('scores each answer so that the mean is the value, or none', () => {
      const { value, each } = score(mixed[kind]);
      if (each === undefined) return;
      demand(each.length === mixed[kind].length, 'scores', String(mixed[kind].length), String(each.length));
      const mean = each.reduce((sum, one) => sum + one, 0) / each.length;
      demand(close(mean, value), 'mean of the scores', String(value), String(mean));
    }),
    check('gives the same again, in whatever order the answers come', () => {
      const first = score(mixed[kind]);
      const again = score(mixed[kind]);
      demand(JSON.stringify(first) === JSON.stringify(again), 'second score', show(first), show(again));
      const back = score(mixed[kind].toReversed());
      demand(close(back.value, first.value), 'value in reverse order', String(first.value), String(back.value));
      const each = back.each?.toReversed();
      const same = each?.every((one, at) => close(one, first.each?.[at] ?? NaN)) ?? first.each === undefined;
      demand(same, 'scores in reverse order', show(first), show(back));
    }),
    check('puts perfect answers above hopeless ones', () => {
      const [best, worst] = [score(perfect[kind]).value, score(hopeless[kind]).value];
      const right = metric.higherIsBetter ? best > worst : best < worst;
      const expected = `${metric.higherIsBetter ? 'more' : 'less'} than the ${worst} of hopeless ones`;
      demand(right, 'value of perfect answers', expected, String(best));
    }),
  ];
}

function written(prediction: string, reference: string): WrittenAnswer {
  return { prediction, reference };
}

/** Texts of seven words, no two alike. */
function sentences(): string[] {
  return words.slice(0, 8).map((_, at) => words.slice(at, at + 7).join(' '));
}

/** An answer that cannot be changed. */
function frozen(answer: AnswerOf[AnswerKind]): AnswerOf[AnswerKind] {
  return 'ranks' in answer ? Object.freeze({ ranks: Object.freeze([...answer.ranks]) }) : Object.freeze({ ...answer });
}

function close(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));
}

function show({ value, each }: Score): string {
  return each === undefined ? String(value) : `${value} of ${each.join(' ')}`;
}

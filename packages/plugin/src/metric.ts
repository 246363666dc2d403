import type { AnswerKind } from './task.js';

/**
 * Where the true items of one question came among all candidates: 1 is the top. Several only where several items are
 * true. Ties count against the model.
 */
export interface RankedAnswer {
  readonly ranks: readonly number[];
}

/** A model's words beside the true ones. */
export interface WrittenAnswer {
  readonly prediction: string;
  readonly reference: string;
}

/** What a metric sees of one answer, by the kind of answer. */
export interface AnswerOf {
  readonly item: RankedAnswer;
  readonly label: WrittenAnswer;
  readonly text: WrittenAnswer;
}

/** A metric's verdict. */
export interface Score {
  /** The metric over all answers. */
  readonly value: number;
  /** The metric of each answer, for intervals and paired tests; absent where it exists only over all (BLEU). */
  readonly each?: readonly number[];
}

/** A way to judge answers. No answers at all score `NaN`. */
export interface Metric<Kind extends AnswerKind = AnswerKind> {
  readonly specVersion: 1;
  /** Such as `ndcg@10`. */
  readonly name: string;
  readonly answers: Kind;
  readonly higherIsBetter: boolean;
  score(answers: readonly AnswerOf[Kind][]): Score;
}

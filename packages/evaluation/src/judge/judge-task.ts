import type { AnswerOf, Metric, Task } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import type { Candidate, CandidateOptions } from '../candidates/candidate.js';
import type { EvaluationData } from '../data/evaluation-data.js';
import type { TestQuestion } from '../protocol/questions.js';
import type { Prediction } from './predictions.js';
import { rankAnswer } from './rank-answer.js';

/** A metric of any kind of answer. */
export type AnyMetric = Metric<'item'> | Metric<'label'> | Metric<'text'>;

/** One candidate's answers to the questions of one task, and the verdict of every metric. */
export interface JudgedTask {
  readonly predictions: readonly Prediction[];
  readonly scores: readonly {
    readonly metric: AnyMetric;
    readonly value: number;
    readonly each?: readonly number[];
  }[];
  /** Wall time of all answers, in milliseconds. */
  readonly milliseconds: number;
}

/**
 * Asks a candidate the questions of one task, in its batches, and judges the answers.
 *
 * @param metrics Those of the task's kind of answer.
 * @param onProgress Called with the number of questions answered.
 * @throws UserLlmError `bad-candidate` for another number of answers than questions, `bad-ranking`, `aborted`.
 */
export async function judgeTask(
  data: EvaluationData,
  candidate: Candidate,
  task: Task,
  questions: readonly TestQuestion[],
  metrics: readonly AnyMetric[],
  options: CandidateOptions & { onProgress?(answered: number): void } = {},
): Promise<JudgedTask> {
  const started = performance.now();
  const ranks: number[] = [];
  const words: string[] = [];
  const size = candidate.batchSize ?? 64;
  for (let from = 0; from < questions.length; from += size) {
    if (options.signal?.aborted) throw new UserLlmError('aborted', { what: `evaluation of ${candidate.name}` });
    const batch = questions.slice(from, from + size);
    if (task.answers === 'item') {
      const rankings = await candidate.rank!(batch, options);
      checkCount(candidate, batch.length, rankings.length);
      batch.forEach((question, at) => ranks.push(rankAnswer(data, question, rankings[at]!, candidate.name)));
    } else {
      const answers = await candidate.answer!(batch, options);
      checkCount(candidate, batch.length, answers.length);
      words.push(...answers);
    }
    options.onProgress?.(Math.min(questions.length, from + size));
  }
  const milliseconds = performance.now() - started;
  const scores = metrics.map((metric) => {
    const answers =
      task.answers === 'item'
        ? ranks.map((rank) => ({ ranks: [rank] }))
        : questions.map(({ example }, at) => ({ prediction: words[at]!, reference: example.target }));
    // The metric was chosen by the kind of answer that the task has.
    return { metric, ...(metric as Metric).score(answers as AnswerOf[keyof AnswerOf][]) };
  });
  const predictions = questions.map(({ example, position }, at): Prediction => {
    const each = scores.flatMap(({ metric, each: own }) =>
      own === undefined ? [] : [[metric.name, own[at]!] as const],
    );
    const rank = ranks[at];
    return {
      user: example.user,
      task: example.task,
      template: example.template,
      position,
      target: task.answers === 'item' ? example.item! : example.target,
      ...(rank !== undefined && { rank: rank === Infinity ? null : rank }),
      ...(words[at] !== undefined && { prediction: words[at] }),
      scores: Object.fromEntries(each),
    };
  });
  return { predictions, scores, milliseconds };
}

function checkCount({ name }: Candidate, expected: number, got: number): void {
  if (expected === got) return;
  throw new UserLlmError('bad-candidate', {
    what: `candidate ${JSON.stringify(name)}`,
    expected: `${expected} answers to ${expected} questions`,
    got: String(got),
  });
}

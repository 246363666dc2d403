import type { TestQuestion } from '../protocol/questions.js';

/** How a candidate ranks items for one question. */
export type Ranking =
  /** A score for every item of the data set, in the order of `EvaluationData.items`, `[N]`; the higher the better. */
  | { readonly kind: 'scores'; readonly scores: ArrayLike<number> }
  /** Items, best first; what is not in the list is a miss at every cutoff, as for a beam search. */
  | { readonly kind: 'list'; readonly items: readonly string[] };

/** How one call goes. */
export interface CandidateOptions {
  readonly signal?: AbortSignal;
}

/** Something that is judged: a baseline, a model, a way to use a model. What it does not offer it is not asked. */
export interface Candidate {
  /** Unique among the candidates of an evaluation; tables and files are labelled with it. */
  readonly name: string;
  /** What it is, in a sentence. */
  readonly description: string;
  /** `baseline` for what needs no model; the report sets those apart. */
  readonly kind: 'baseline' | 'model';
  /** Names of the only tasks it answers; all of its kinds of answer when absent. */
  readonly tasks?: readonly string[];
  /** Questions it wants at once at most; 64 when absent. */
  readonly batchSize?: number;
  /** Ranks all items for each question (tasks that answer with an item). Items seen may stand anywhere. */
  rank?(questions: readonly TestQuestion[], options: CandidateOptions): Promise<readonly Ranking[]>;
  /** Answers each question in words (tasks that answer with a label or a text). */
  answer?(questions: readonly TestQuestion[], options: CandidateOptions): Promise<readonly string[]>;
}

/** Whether a candidate answers a task. */
export function answersTask(
  candidate: Pick<Candidate, 'tasks' | 'rank' | 'answer'>,
  task: { readonly name: string; readonly answers: string },
): boolean {
  if (candidate.tasks !== undefined && !candidate.tasks.includes(task.name)) return false;
  return task.answers === 'item' ? candidate.rank !== undefined : candidate.answer !== undefined;
}

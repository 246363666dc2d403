import type { Task } from '@user-llm/plugin';
import { builtInMetrics } from '@user-llm/tasks';
import { UserLlmError } from '@user-llm/tensor';
import { answersTask, type Candidate } from '../candidates/candidate.js';
import type { EvaluationData } from '../data/evaluation-data.js';
import type { Questions, TestQuestion } from '../protocol/questions.js';
import { intervalOf, pairedDifference, resample, type BootstrapOptions, type Interval } from './bootstrap.js';
import { judgeTask, type AnyMetric, type JudgedTask } from './judge-task.js';
import type { Prediction } from './predictions.js';

/** A metric's value; an interval too where the metric judges answers one by one. */
export interface MetricResult extends Partial<Pick<Interval, 'low' | 'high'>> {
  readonly metric: string;
  readonly value: number;
  readonly higherIsBetter: boolean;
}

/** One candidate on one task. */
export interface TaskResult {
  readonly candidate: string;
  readonly task: string;
  /** Questions answered. */
  readonly questions: number;
  readonly metrics: readonly MetricResult[];
  /** Wall time of all answers, in milliseconds, batches and ranking included. */
  readonly milliseconds: number;
}

/** How much a candidate is above another on a metric, paired by user. */
export interface Difference extends Interval {
  readonly task: string;
  readonly metric: string;
  readonly candidate: string;
  readonly other: string;
  /** Share of the resamples in which it is not above: a one-sided p-value. */
  readonly notAbove: number;
}

/** What an evaluation found. */
export interface Evaluation {
  readonly candidates: readonly Pick<Candidate, 'name' | 'description' | 'kind'>[];
  /** By task, then in the order of the candidates. */
  readonly results: readonly TaskResult[];
  /** Every pair of candidates on every metric with an interval, the later candidate against the earlier. */
  readonly differences: readonly Difference[];
  /** By candidate, all its answers. */
  readonly predictions: ReadonlyMap<string, readonly Prediction[]>;
}

/** How far an evaluation is. */
export interface EvaluationProgress {
  readonly candidate: string;
  readonly task: string;
  readonly answered: number;
  readonly questions: number;
}

/** How candidates are judged. */
export interface EvaluateOptions {
  /** Metrics there are, by which tasks name theirs; those of `@user-llm/tasks` when absent. */
  readonly metrics?: readonly AnyMetric[];
  readonly bootstrap?: BootstrapOptions;
  readonly signal?: AbortSignal;
  onProgress?(progress: EvaluationProgress): void;
}

/**
 * Judges candidates on the questions of a test: each is asked every task it answers, and each metric gets an interval by
 * the bootstrap over users. The same draws serve all candidates, so that differences are paired.
 *
 * @throws UserLlmError `bad-candidate` for none, two of one name, one that answers none of the tasks, or one whose answers
 *   cannot be judged; `unknown-metric`; `bad-cutoff` for a metric that cuts beyond the catalogue; `aborted`.
 */
export async function evaluateCandidates(
  data: EvaluationData,
  { tasks, questions }: Questions,
  candidates: readonly Candidate[],
  { metrics = builtInMetrics(), bootstrap = {}, signal, onProgress }: EvaluateOptions = {},
): Promise<Evaluation> {
  checkCandidates(candidates, tasks);
  const plans = tasks.map((task) => ({
    task,
    metrics: metricsOf(task, metrics, data.items.length),
    asked: questions.filter(({ example }) => example.task === task.name),
  }));
  const results: TaskResult[] = [];
  const differences: Difference[] = [];
  const predictions = new Map<string, Prediction[]>(candidates.map(({ name }) => [name, []]));
  for (const { task, metrics: own, asked } of plans) {
    if (asked.length === 0) continue;
    const judged: [string, JudgedTask][] = [];
    for (const candidate of candidates.filter((each) => answersTask(each, task))) {
      const at = { candidate: candidate.name, task: task.name, questions: asked.length };
      const verdict = await judgeTask(data, candidate, task, asked, own, {
        ...(signal && { signal }),
        onProgress: (answered) => onProgress?.({ ...at, answered }),
      });
      judged.push([candidate.name, verdict]);
      predictions.get(candidate.name)!.push(...verdict.predictions);
    }
    const summed = summarize(task.name, asked, judged, bootstrap);
    results.push(...summed.results);
    differences.push(...summed.differences);
  }
  const named = candidates.map(({ name, description, kind }) => ({ name, description, kind }));
  return { candidates: named, results, differences, predictions };
}

function summarize(
  task: string,
  questions: readonly TestQuestion[],
  judged: readonly (readonly [string, JudgedTask])[],
  bootstrap: BootstrapOptions,
): Pick<Evaluation, 'results' | 'differences'> {
  const users = questions.map(({ example }) => example.user);
  const series = judged.flatMap(([candidate, { scores }]) =>
    scores.flatMap(({ metric, each }) => (each === undefined ? [] : [{ candidate, metric: metric.name, each }])),
  );
  const means = resample(
    users,
    series.map(({ each }) => each),
    bootstrap,
  );
  const resampled = series.map(({ candidate, metric }, at) => ({ candidate, metric, means: means[at]! }));
  const confidence = bootstrap.confidence ?? 0.95;
  const results = judged.map(([candidate, { scores, milliseconds }]): TaskResult => ({
    candidate,
    task,
    questions: questions.length,
    milliseconds,
    metrics: scores.map(({ metric, value }) => {
      const found = resampled.find((each) => each.candidate === candidate && each.metric === metric.name);
      const { low, high } = found ? intervalOf(found.means, confidence) : {};
      const interval = low !== undefined && high !== undefined ? { low, high } : {};
      return { metric: metric.name, higherIsBetter: metric.higherIsBetter, value, ...interval };
    }),
  }));
  const differences = resampled.flatMap((one, at) =>
    resampled
      .slice(0, at)
      .filter(({ metric }) => metric === one.metric)
      .map((other): Difference => ({
        task,
        metric: one.metric,
        candidate: one.candidate,
        other: other.candidate,
        ...pairedDifference(one.means, other.means, confidence),
      })),
  );
  return { results, differences };
}

function metricsOf(task: Task, known: readonly AnyMetric[], catalogue: number): AnyMetric[] {
  return task.metrics.map((name) => {
    const metric = known.find((each) => each.name === name && each.answers === task.answers);
    if (metric === undefined) {
      throw new UserLlmError('unknown-metric', {
        what: `task ${task.name}`,
        expected: `metrics of ${task.answers} answers among ${known.map((each) => each.name).join(', ')}`,
        got: name,
        mend: 'Add the plugin that offers it, or correct the name.',
      });
    }
    const cutoff = Number(/@(\d+)$/u.exec(name)?.[1] ?? 0);
    if (task.answers === 'item' && cutoff > catalogue) {
      throw new UserLlmError('bad-cutoff', {
        what: `metric ${name}`,
        expected: `a cutoff up to the catalogue's ${catalogue} items`,
        got: String(cutoff),
        mend: 'Where everything is in the list, everyone is right: choose a smaller cutoff.',
      });
    }
    return metric;
  });
}

function checkCandidates(candidates: readonly Candidate[], tasks: readonly Task[]): void {
  const wrong = (expected: string, got: string, mend?: string): never => {
    throw new UserLlmError('bad-candidate', {
      what: 'candidates of an evaluation',
      expected,
      got,
      ...(mend && { mend }),
    });
  };
  const names = candidates.map(({ name }) => name);
  if (names.length === 0) wrong('at least one', 'none');
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) wrong('different names', `${JSON.stringify(twice)} twice`);
  const idle = candidates.find((candidate) => !tasks.some((task) => answersTask(candidate, task)));
  if (idle !== undefined) {
    wrong(
      `each to answer one of ${tasks.map(({ name }) => name).join(', ')}`,
      `${JSON.stringify(idle.name)}, which answers none`,
      'Leave it out, or ask a task that it answers.',
    );
  }
}

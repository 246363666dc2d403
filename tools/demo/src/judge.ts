import { openDataset } from '@user-llm/datasets';
import {
  commonCategoryCandidate,
  encoderCandidate,
  evaluateCandidates,
  findProvenance,
  frequentCategoryCandidate,
  leaveLastOut,
  makeReport,
  markovCandidate,
  planQuestions,
  popularityCandidate,
  readEvaluationData,
  trainingHistories,
  type CostMeasurement,
  type EvaluationData,
  type Questions,
  type ReportWithPredictions,
  type TaskResult,
  type TrainingCurve,
} from '@user-llm/evaluation';
import type { Task } from '@user-llm/plugin';
import type { OnnxRuntime } from '@user-llm/runtime-onnx';
import type { UserLlm } from '@user-llm/user-llm';
import { answeredText, judgeWay, shownEvents, type JudgedWay } from './judge-way.js';
import { askedTasks, judgedTasks, type Recipe } from './recipes/recipe.js';

/** The test: users' last films, and the favourite genre of the films before them. */
export interface Test {
  readonly data: EvaluationData;
  /** What all candidates are judged on. */
  readonly questions: Questions;
  /** What a real user is asked about besides. */
  readonly asked: Questions;
}

/**
 * Reads the data set and plans the questions: leave-last-out.
 *
 * @param historyLength Events of a history that may be read.
 * @param users How many users are asked, drawn by the seed; all where there are fewer.
 */
export async function openTest(
  dataset: string,
  { seed, historyLength, users }: { readonly seed: number; readonly historyLength: number; readonly users: number },
): Promise<Test> {
  const { manifest, paths } = await openDataset(dataset);
  const own = new Set(['user', 'item', 'time']);
  const fields = Object.keys(manifest.schema.events).filter((field) => !own.has(field));
  const data = await readEvaluationData({ name: manifest.source, ...paths, fields });
  const plan = (tasks: readonly Task[]): Questions =>
    planQuestions(data, { split: leaveLastOut, tasks, seed, historyLength, users });
  return { data, questions: plan(judgedTasks), asked: plan(askedTasks) };
}

/** What of a judgement is asked for. */
export interface JudgeOptions {
  readonly recipe: Recipe;
  /** Folders of the trained models, by name of the way. */
  readonly models: ReadonlyMap<string, string>;
  /** Folder where what was judged is kept, so that a judgement that was stopped goes on. */
  readonly folder: string;
  readonly runtime: OnnxRuntime;
  readonly seed: number;
  readonly curves: readonly TrainingCurve[];
  readonly command: readonly string[];
  readonly signal: AbortSignal;
  /** Shows what is under way. */
  readonly show: (text: string) => void;
}

/** What was found, and what one answer of each candidate takes. */
export interface Judgement {
  readonly made: ReportWithPredictions;
  readonly costs: ReadonlyMap<string, CostMeasurement>;
  readonly ways: readonly JudgedWay[];
}

/**
 * Judges all ways beside the baselines, one model in memory at a time.
 *
 * @param first The model of the first way.
 */
export async function judge(test: Test, first: UserLlm, options: JudgeOptions): Promise<Judgement> {
  const { data, questions } = test;
  const { recipe, seed, curves, command, signal, show } = options;
  const bootstrap = { seed };
  const judged: JudgedWay[] = [];
  for (const way of recipe.ways) judged.push(await judgeWay(test, way, options));
  const known = trainingHistories(data, questions.split);
  const candidates = [
    popularityCandidate(data, known),
    markovCandidate(data, known),
    commonCategoryCandidate(data, known, questions.tasks),
    frequentCategoryCandidate(data, questions.tasks),
    encoderCandidate(data, first),
    ...judged.map(({ candidate }) => candidate),
  ];
  const evaluation = await evaluateCandidates(data, questions, candidates, {
    bootstrap,
    signal,
    onProgress: (progress) => {
      show(answeredText(progress));
    },
  });
  const provenance = await findProvenance(command, { folder: process.cwd(), model: first.encoderHash });
  const made = makeReport({
    title: `User-LLM on ${data.name}`,
    provenance,
    data,
    questions,
    evaluation: { ...evaluation, results: evaluation.results.map((result) => timedOnce(result, judged)) },
    bootstrap,
    controls: judged.flatMap(({ controls }) => controls),
    costs: judged.flatMap(({ costs }) => costs),
    curves,
  });
  return { made, costs: costsOfTable(recipe, made.report.costs), ways: judged };
}

/** The time of the answers is that of the call in which they were given. */
function timedOnce(result: TaskResult, judged: readonly JudgedWay[]): TaskResult {
  const own = judged.find(({ candidate }) => candidate.name === result.candidate);
  return own ? { ...result, milliseconds: own.milliseconds[result.task] ?? result.milliseconds } : result;
}

/** The cost that the table shows of each way: with the history that it reads. */
function costsOfTable(recipe: Recipe, costs: readonly CostMeasurement[]): Map<string, CostMeasurement> {
  return new Map(
    recipe.ways.flatMap((way) => {
      const cost = costs.find(({ candidate, historyEvents }) =>
        way.kind === 'text'
          ? candidate === 'text prompt' && historyEvents === way.lastEvents
          : candidate === way.label && historyEvents === shownEvents(recipe),
      );
      return cost ? [[way.label, cost] as const] : [];
    }),
  );
}

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
  measureCosts,
  planQuestions,
  popularityCandidate,
  readEvaluationData,
  textPromptCandidate,
  trainingHistories,
  userControls,
  userLlmCandidate,
  type Candidate,
  type ControlResult,
  type CostMeasurement,
  type EvaluationData,
  type EvaluationProgress,
  type Questions,
  type ReportWithPredictions,
  type TrainingCurve,
} from '@user-llm/evaluation';
import type { Task } from '@user-llm/plugin';
import type { OnnxRuntime } from '@user-llm/runtime-onnx';
import { UserLlm } from '@user-llm/user-llm';
import { askedTasks, judgedTasks, maximumEvents, ways, type Way } from './recipes.js';

/** Beginnings of titles that the LLM's search follows up at one time. */
const beamWidth = 16;

/** The test: every user's last film, and the favourite genre of the films before it. */
export interface Test {
  readonly data: EvaluationData;
  /** What all candidates are judged on. */
  readonly questions: Questions;
  /** What a real user is asked about besides. */
  readonly asked: Questions;
}

function plans(data: EvaluationData, seed: number, users?: number): Pick<Test, 'questions' | 'asked'> {
  const plan = (tasks: readonly Task[]) =>
    planQuestions(data, {
      split: leaveLastOut,
      tasks,
      seed,
      historyLength: maximumEvents,
      ...(users !== undefined && { users }),
    });
  return { questions: plan(judgedTasks), asked: plan(askedTasks) };
}

/**
 * Reads the data set and plans the questions: leave-last-out.
 *
 * @param users How many users are asked; all when absent.
 */
export async function openTest(dataset: string, seed: number, users?: number): Promise<Test> {
  const { manifest, paths } = await openDataset(dataset);
  const own = new Set(['user', 'item', 'time']);
  const fields = Object.keys(manifest.schema.events).filter((field) => !own.has(field));
  const data = await readEvaluationData({ name: manifest.source, ...paths, fields });
  return { data, ...plans(data, seed, users) };
}

/** A way to know the user with the model that was tuned for it. */
export interface TunedWay {
  readonly way: Way;
  readonly userLlm: UserLlm;
}

/** Loads what was tuned. */
export async function loadWays(models: ReadonlyMap<string, string>, runtime: OnnxRuntime): Promise<TunedWay[]> {
  return Promise.all(
    ways.map(async (way) => ({ way, userLlm: await UserLlm.load(models.get(way.name)!, { runtime }) })),
  );
}

/** What a way is called in tables. */
export function candidateName(way: Way): string {
  return way.kind === 'text' ? `text prompt, last ${way.lastEvents} events` : `User-LLM, ${way.fusion}`;
}

/** What of a judgement is asked for. */
export interface JudgeOptions {
  readonly runtime: OnnxRuntime;
  readonly seed: number;
  readonly curves: readonly TrainingCurve[];
  readonly command: readonly string[];
  readonly signal: AbortSignal;
  readonly onProgress: (progress: EvaluationProgress) => void;
}

/** What was found, and what one answer of each candidate takes. */
export interface Judgement {
  readonly made: ReportWithPredictions;
  readonly costs: ReadonlyMap<string, CostMeasurement>;
  readonly controls: readonly ControlResult[];
}

/** Judges all ways beside the baselines. */
export async function judge(test: Test, tuned: readonly TunedWay[], options: JudgeOptions): Promise<Judgement> {
  const { data, questions } = test;
  const { runtime, seed, curves, command, signal, onProgress } = options;
  const bootstrap = { seed };
  const evaluation = await evaluateCandidates(data, questions, candidatesOf(test, tuned), {
    bootstrap,
    signal,
    onProgress,
  });
  const costs: CostMeasurement[] = [];
  const controls: ControlResult[] = [];
  for (const { way, userLlm } of tuned) {
    if (way.kind === 'text') continue;
    const name = candidateName(way);
    costs.push(...(await costsOf(name, userLlm, test, way === ways[0], signal)));
    const held = { ...userLlm.parts, runtime };
    controls.push(...(await userControls(held, questions.questions, { name, seed, bootstrap, signal })));
  }
  const provenance = await findProvenance(command, { folder: process.cwd(), model: tuned[0]!.userLlm.encoderHash });
  const title = `User-LLM on ${data.name}`;
  const made = makeReport({ title, provenance, data, questions, evaluation, bootstrap, controls, costs, curves });
  const byCandidate = ways.flatMap((way) => {
    const cost = costs.find(({ candidate, historyEvents }) =>
      way.kind === 'text'
        ? candidate === 'text prompt' && historyEvents === way.lastEvents
        : candidate === candidateName(way) && historyEvents === maximumEvents,
    );
    return cost ? [[candidateName(way), cost] as const] : [];
  });
  return { made, costs: new Map(byCandidate), controls };
}

/**
 * What an answer takes with histories of several lengths. The text prompts are those of the same decoder, so they are
 * measured once, beside the first way.
 */
async function costsOf(
  name: string,
  userLlm: UserLlm,
  { data, questions }: Test,
  withText: boolean,
  signal: AbortSignal,
): Promise<CostMeasurement[]> {
  const planned = planQuestions(data, { split: questions.split, tasks: questions.tasks, seed: questions.seed });
  const nextFilm = planned.questions.filter(({ answers }) => answers === 'item');
  const historyEvents = withText ? [10, maximumEvents, 256] : [maximumEvents];
  const measured = await measureCosts(data, userLlm, nextFilm, { historyEvents, signal });
  return measured
    .filter(({ candidate }) => withText || candidate !== 'text prompt')
    .map(({ candidate, ...cost }) => ({
      ...cost,
      candidate:
        candidate === 'text prompt' ? candidate : candidate.endsWith('cached') ? `${name}, context cached` : name,
    }));
}

function candidatesOf({ data, questions }: Test, tuned: readonly TunedWay[]): Candidate[] {
  const known = trainingHistories(data, questions.split);
  const [first] = tuned;
  return [
    popularityCandidate(data, known),
    markovCandidate(data, known),
    commonCategoryCandidate(data, known, questions.tasks),
    frequentCategoryCandidate(data, questions.tasks),
    encoderCandidate(data, first!.userLlm),
    ...tuned.map(({ way, userLlm }) => {
      const name = candidateName(way);
      return way.kind === 'text'
        ? textPromptCandidate(data, userLlm, { name, lastEvents: way.lastEvents, beamWidth })
        : userLlmCandidate(data, userLlm, { name, beamWidth });
    }),
  ];
}

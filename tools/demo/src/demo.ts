import { join, resolve } from 'node:path';
import { trainingCurves, writeReport, type TrainingCurve } from '@user-llm/evaluation';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import type { RunProgress } from '@user-llm/training';
import { UserLlm } from '@user-llm/user-llm';
import { answerTable } from './answer-table.js';
import { judge, openTest } from './judge.js';
import type { DemoOptions } from './options.js';
import { prepare } from './prepare.js';
import type { ProgressLine } from './progress-line.js';
import { askAboutUser } from './real-user.js';
import { recipes } from './recipes/by-name.js';
import { fusionsOf, type FusionName, type Minutes, type Recipe, type Setting } from './recipes/recipe.js';
import { firstTraining, StageClock } from './stage-clock.js';
import { keptText, stageTable, userText, usedText } from './told.js';
import { trainRun, type RunSession } from './train-run.js';

/** Where the demo tells of itself. */
export interface DemoSession {
  readonly signal: AbortSignal;
  /** Prints a line. */
  readonly say: (line: string) => void;
  readonly progress: ProgressLine;
  /** The command, word by word, for the report. */
  readonly command: readonly string[];
}

/**
 * The main job: raw MovieLens files to events, a pretrained encoder, a decoder or a real LLM, several ways to let it know
 * its user, a judgement of all of them, and answers about a real user.
 *
 * @throws Stopped when the signal stopped it; what was trained is kept, and the same call goes on.
 */
export async function runDemo(options: DemoOptions, session: DemoSession): Promise<void> {
  const { signal, say, progress } = session;
  const folder = resolve(options.out);
  const recipe = recipes[options.recipe];
  const minutes = minutesOf(recipe, options);
  const clock = new StageClock(recipe, minutes, say);
  const dataset = join(folder, 'data');
  const { counts, citation } = await clock.time('prepare the data', () =>
    prepare(recipe.kCore, resolve(options.data), dataset, signal),
  );
  say(`    ${count(counts.events)} ratings of ${count(counts.items)} films by ${count(counts.users)} users`);
  if (citation !== undefined) say(`    ${citation}`);

  const setting: Setting = {
    dataset,
    seed: options.seed,
    minutes,
    llm: options.llm && resolve(options.llm),
  };
  const training: RunSession = { folder, signal, onProgress: (told) => progress.show(trainingText(told)) };
  const start = await clock.time(firstTraining(recipe), () => trainRun(recipe.baseRun(setting), training));
  progress.end();
  const aligned = new Map<FusionName, string>();
  for (const fusion of fusionsOf(recipe)) {
    const run = recipe.alignRun(fusion, setting, start);
    aligned.set(fusion, await clock.time(`align: ${fusion}`, () => trainRun(run, training)));
    progress.end();
  }
  const models = new Map<string, string>();
  for (const way of recipe.ways) {
    const run = recipe.tuneRun(way, setting, way.kind === 'fusion' ? aligned.get(way.fusion)! : start);
    models.set(way.name, await clock.time(`tune: ${way.name}`, () => trainRun(run, training)));
    progress.end();
  }

  const test = await openTest(dataset, {
    seed: options.seed,
    historyLength: recipe.maximumEvents,
    users: options.users ?? recipe.users,
  });
  const runtime = await OnnxRuntime.create();
  const served = await UserLlm.load(models.get(recipe.ways[0]!.name)!, { runtime });
  try {
    const judgement = await clock.time('evaluate', async () =>
      judge(test, served, {
        recipe,
        models,
        folder,
        runtime,
        seed: options.seed,
        curves: await curvesOf(recipe, folder),
        command: session.command,
        signal,
        show: (text) => {
          progress.show(text);
        },
      }),
    );
    progress.end();
    const user = await clock.time('write the report, answer', async () => {
      await writeReport(join(folder, 'report'), judgement.made);
      await served.save(join(folder, 'model'));
      return askAboutUser(test, served, recipe.maximumEvents, signal);
    });
    say(`\n${answerTable(judgement.made.report, judgement.costs)}`);
    say(`\n${usedText(judgement)}`);
    if (recipe.plainTexts.length > 0) say(`\n${keptText(judgement)}`);
    say(`\n${userText(user)}`);
    say(`\n${stageTable(clock.times)}`);
    for (const warning of judgement.made.report.warnings) say(`Warning: ${warning}`);
    say(`\nReport: ${join(join(folder, 'report'), 'report.html')}`);
    say('Try it: npm run serve');
  } finally {
    await served.dispose();
    await runtime.dispose();
  }
}

function minutesOf({ minutes }: Recipe, { effort, encoderEffort }: DemoOptions): Minutes {
  const { pretrain, language, align, tune } = minutes;
  return {
    pretrain: pretrain * (encoderEffort ?? effort),
    language: language * effort,
    align: align * effort,
    tune: tune * effort,
  };
}

/** The curves of all runs: those of the ways side by side, stage by stage. */
async function curvesOf(recipe: Recipe, folder: string): Promise<TrainingCurve[]> {
  const runs = [
    'base',
    ...fusionsOf(recipe).map((fusion) => `align-${fusion}`),
    ...recipe.ways.map(({ name }) => name),
  ];
  const curves = await Promise.all(runs.map((run) => trainingCurves(join(folder, run, 'figures.jsonl'))));
  return curves.flatMap((own, at) => own.map((curve) => (at === 0 ? curve : { ...curve, series: runs[at]! })));
}

function trainingText({ stage, step, loss, examplesPerSecond, secondsLeft }: RunProgress): string {
  const parts = [
    `${stage}, step ${count(step)}`,
    loss === undefined ? '' : `loss ${loss.toFixed(3)}`,
    examplesPerSecond === undefined ? '' : `${count(Math.round(examplesPerSecond))} examples/s`,
    secondsLeft === undefined ? '' : `${Math.ceil(secondsLeft)} s left`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function count(n: number): string {
  return n.toLocaleString('en-US');
}

import { dirname, join, resolve } from 'node:path';
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { answersTask, measureCosts, userControls, type ReportParts, trainingCurves } from '@user-llm/evaluation';
import { loadPlugins, UserLlm, userLlmRegistry } from '@user-llm/user-llm';
import { baselines } from './baselines.js';
import { evaluateAndReport } from './evaluate-and-report.js';
import { modelCandidates, parseCandidates, usualCandidates } from './model-candidates.js';
import { progressLine } from './progress.js';
import { openTest, wholeNumber, withTestOptions, type OpenedTest } from './test-options.js';

const examples = `
Candidates:
  baselines     popularity, Markov chain, most frequent genres: no model
  encoder       the user encoder alone, without the LLM
  user-llm      the LLM reads the user's embeddings; it ranks titles by beam search
  text-N        the LLM without embeddings; the last N events stand in its prompt, in words. For a fair
                comparison give --text-model: the same LLM, tuned on the same examples in words

Examples:
  $ user-llm-evaluate run runs/movielens/model --data data/movielens
  $ user-llm-evaluate run runs/movielens/model --data data/movielens --text-model runs/text/model --out reports/movielens
  $ user-llm-evaluate run runs/movielens/model --data data/movielens --candidates baselines,encoder --controls 0 --costs 0
  $ user-llm-evaluate run runs/ours/model --data data/movielens --plugin ./our-encoder.mjs

Use the data set and the split that the model was trained with: what it has learned cannot test it. Where the model
directory lies in the folder of its training run, the report shows the run's curves too.`;

/** `run`: a model beside its baselines. */
export function runCommand(command: readonly string[], signal: AbortSignal): CommandUnknownOpts {
  const options = new Command('run')
    .description('judge a model beside its baselines')
    .argument('<model>', 'a model directory, as training leaves it')
    .option('--candidates <names>', 'who is judged, with commas between', usualCandidates.join(','))
    .option(
      '--text-model <model>',
      'who answers text-N: the same LLM, tuned on histories in words; else the model itself',
    )
    .option('--history-length <n>', 'events that may be read; as many as the model reads when absent', wholeNumber(1))
    .option(
      '--controls <n>',
      'users asked about with another user and with none instead; 0 for no controls',
      wholeNumber(0),
      200,
    )
    .option('--costs <n>', 'times that every answer is timed; 0 for no costs', wholeNumber(0), 5);
  return withTestOptions(options)
    .addHelpText('after', examples)
    .action(async (directory, flags) => {
      const names = parseCandidates(flags.candidates);
      const progress = progressLine(process.stderr);
      progress.say('loading the model');
      const plugins = await loadPlugins(flags.plugin);
      const userLlm = await UserLlm.load(directory, { plugins });
      const textModel = flags.textModel === undefined ? userLlm : await UserLlm.load(flags.textModel, { plugins });
      try {
        progress.say('reading the data set');
        const historyLength = flags.historyLength ?? userLlm.model.maximumEvents;
        const test = await openTest({ ...flags, historyLength }, userLlmRegistry(plugins));
        const candidates = [
          ...(names.includes('baselines') ? baselines(test) : []),
          ...modelCandidates(names, test.data, userLlm, textModel),
        ].filter((candidate) => test.questions.tasks.some((task) => answersTask(candidate, task)));
        await evaluateAndReport({
          ...test,
          title: `User-LLM on ${test.data.name}`,
          candidates,
          command,
          flags,
          signal,
          progress,
          model: `encoder ${userLlm.encoderHash}`,
          trainedOn: trainedOn({ 'the model': userLlm, ...(textModel !== userLlm && { 'the text model': textModel }) }),
          measure: async () => ({
            ...(await measured(test, userLlm, flags, signal, progress.say)),
            curves: await trainingCurves(join(dirname(resolve(directory)), 'figures.jsonl')),
          }),
        });
      } finally {
        progress.end();
        await userLlm.dispose();
        if (textModel !== userLlm) await textModel.dispose();
      }
    });
}

/** What models were trained on, where their folders say it. */
function trainedOn(models: Readonly<Record<string, UserLlm>>): NonNullable<ReportParts['trainedOn']> {
  const known = Object.entries(models).flatMap(([name, { parts }]) =>
    parts.trainedOn ? [[name, parts.trainedOn] as const] : [],
  );
  return Object.fromEntries(known);
}

/** Controls and costs, where they are wanted. */
async function measured(
  { data, questions: { questions } }: OpenedTest,
  userLlm: UserLlm,
  flags: { readonly controls: number; readonly costs: number; readonly seed: number; readonly resamples: number },
  signal: AbortSignal,
  say: (step: string) => void,
): Promise<Pick<ReportParts, 'controls' | 'costs'>> {
  const users = new Set([...new Set(questions.map(({ example }) => example.user))].slice(0, flags.controls));
  const controlled = questions.filter(({ example }) => users.has(example.user));
  const bootstrap = { seed: flags.seed, resamples: flags.resamples };
  const controls =
    users.size > 1
      ? await userControls(userLlm.parts, controlled, {
          seed: flags.seed,
          bootstrap,
          signal,
          onProgress: (step) => {
            say(`loss of ${step}`);
          },
        })
      : [];
  if (flags.costs === 0) return { controls };
  const costs = await measureCosts(data, userLlm, questions, {
    repeats: flags.costs,
    signal,
    onProgress: (step) => {
      say(`cost: ${step}`);
    },
  });
  return { controls, costs };
}

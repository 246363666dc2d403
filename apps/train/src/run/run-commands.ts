import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { openDataset } from '@user-llm/datasets';
import {
  formatTrained,
  parseRunConfig,
  RunFolder,
  runJsonSchema,
  runTraining,
  startedConfig,
  type Run,
} from '@user-llm/training';
import { userLlmRegistry } from '@user-llm/user-llm';
import { publishedCounts } from '../data/paper-counts.js';
import { prepareProgress } from '../data/progress.js';
import { duration, runProgress } from './progress.js';
import { readConfig } from './read-config.js';

const example = `
A config, pretrain.json, that trains a user encoder on a prepared data set for 20 minutes:
  {
    "model": {
      "events": { "item": { "kind": "id" } },
      "encoder": { "name": "autoregressive", "config": { "width": 64, "layers": 2, "heads": 1, "maximumEvents": 200 } }
    },
    "data": { "dataset": "data/ml-1m" },
    "stages": [{ "kind": "pretrain", "budget": { "minutes": 20 }, "validation": { "every": 500 } }]
  }

Kinds of stage: pretrain (the user encoder), language (the LLM on texts), align (the LLM learns the titles that the
encoder's vectors of items stand for), tune (tasks about users).

Examples:
  $ user-llm-train run pretrain.json --out runs/encoder
  $ user-llm-train run pretrain.json --out runs/wide --set model.encoder.config.width=128 --set seed=3
  $ user-llm-train resume runs/encoder
  $ user-llm-train schema > run.schema.json

Ctrl-C ends after the step under way and saves. The folder holds run.json, figures.jsonl, tensorboard/, a folder per
stage, and at the end model/.`;

/** `run`, `resume` and `schema`. */
export function runCommands(signal: AbortSignal): CommandUnknownOpts[] {
  return [
    new Command('run')
      .description('train the stages of a config one after the other')
      .argument('<config>', 'JSON file, or module (.mjs, .ts) whose default export is a run')
      .requiredOption('--out <folder>', 'folder of the run; one that was stopped there is gone on with')
      .option('--set <field=value...>', 'replace a field of the config, such as stages.0.budget.minutes=5')
      .addHelpText('after', example)
      .action(async (config, { out, set }) => trainRun(await readConfig(config, set ?? []), out, signal)),
    new Command('resume')
      .description('go on with a run that was stopped or killed')
      .argument('<folder>', 'the folder that was --out')
      .action(async (folder) => {
        const config = parseRunConfig(await startedConfig(new RunFolder(folder)));
        await trainRun({ config, plugins: [] }, folder, signal);
      }),
    new Command('schema')
      .description('print the JSON Schema of a config: every field, also of our own parts, with its meaning and unit')
      .action(() => void process.stdout.write(`${JSON.stringify(runJsonSchema(userLlmRegistry()), null, 2)}\n`)),
  ];
}

/** Says how a run that was stopped is gone on with. */
export class Stopped extends Error {}

async function trainRun(run: Run, folder: string, signal: AbortSignal): Promise<void> {
  const progress = runProgress(process.stderr);
  const preparing = prepareProgress(process.stderr);
  const result = await runTraining(run, {
    folder,
    signal,
    onPrepare: preparing.show,
    onProgress: (told) => {
      progress.show(told);
    },
    onStage: ({ name, counts, idleFactors }) => {
      preparing.end();
      progress.end();
      process.stderr.write(`stage ${name}\n${formatTrained(counts)}`);
      for (const pattern of idleFactors)
        process.stderr.write(`warning: optimizer.factors: ${JSON.stringify(pattern)} fits no parameter of the model\n`);
    },
  }).finally(() => {
    preparing.end();
    progress.end();
  });
  if (result.status === 'stopped') throw new Stopped(`Stopped and saved. Go on with: user-llm-train resume ${folder}`);
  for (const { stage, steps, seconds, best, test } of result.stages) {
    const figures = Object.entries(test ?? {}).map(([name, value]) => `${name} ${value.toFixed(4)}`);
    const kept = best ? `, best ${best.value.toFixed(4)} after step ${best.step}` : '';
    const tested = figures.length > 0 ? `, test: ${figures.join(' ')}` : '';
    process.stdout.write(`${stage}: ${steps} steps in ${duration(seconds)}${kept}${tested}\n`);
  }
  const { dataset, raw } = run.config.data;
  // Raw files were made a data set in the folder of the run.
  const data = raw === undefined ? dataset : new RunFolder(folder).file('data');
  if (data !== undefined) process.stdout.write(await publishedCounts(await openDataset(data)));
  process.stdout.write(`model in ${new RunFolder(folder).file('model')}\n`);
}

import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { loadPlugins, userLlmRegistry } from '@user-llm/user-llm';
import { baselines } from './baselines.js';
import { evaluateAndReport } from './evaluate-and-report.js';
import { openTest, withTestOptions } from './test-options.js';
import { progressLine } from './progress.js';

const examples = `
Examples:
  $ user-llm-evaluate baselines --data data/movielens
  $ user-llm-evaluate baselines --data data/movielens --split held-out-users --seed 7
  $ user-llm-evaluate baselines --data data/movielens --tasks next-item --users 500 --out reports/floors

It takes seconds and needs no model: do it first, so that you know what a model has to beat.`;

/** `baselines`: the floors of a data set. */
export function baselinesCommand(command: readonly string[], signal: AbortSignal): CommandUnknownOpts {
  return withTestOptions(new Command('baselines').description('judge the baselines alone: what a model has to beat'))
    .addHelpText('after', examples)
    .action(async (flags) => {
      const progress = progressLine(process.stderr);
      progress.say('reading the data set');
      const test = await openTest(flags, userLlmRegistry(await loadPlugins(flags.plugin)));
      await evaluateAndReport({
        ...test,
        title: `Baselines on ${test.data.name}`,
        candidates: baselines(test),
        command,
        flags,
        signal,
        progress,
      }).finally(progress.end);
    });
}

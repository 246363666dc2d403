import { Command, CommanderError } from '@commander-js/extra-typings';
import { UserLlmError } from '@user-llm/tensor';
import { baselinesCommand } from './baselines-command.js';
import { parityCommand } from './parity-command.js';
import { runCommand } from './run-command.js';

const help = `
A test asks every user a question whose answer is known: what comes next, ranked against the whole catalogue, or the
favourite genre of the history and of the time to come. Baselines (popularity, a Markov chain, the most frequent genre)
stand beside every model: what is below them has not learned. Every figure has a 95 % interval over users.

A data set is a folder that user-llm-train data prepare has made.

Examples:
  $ user-llm-evaluate baselines --data data/movielens
  $ user-llm-evaluate run runs/movielens/model --data data/movielens --out reports/movielens
  $ user-llm-evaluate parity --llm models/SmolLM2-135M-Instruct --golden golden.json
  $ user-llm-evaluate run --help`;

/**
 * Runs `user-llm-evaluate`.
 *
 * @param args What follows the command's name.
 * @returns The exit code: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
 */
export async function main(args: readonly string[]): Promise<number> {
  const abort = new AbortController();
  const stop = () => abort.abort();
  process.once('SIGINT', stop);
  const program = new Command('user-llm-evaluate')
    .description('judge User-LLMs beside their baselines')
    .addHelpText('after', help)
    .exitOverride();
  const command = ['user-llm-evaluate', ...args];
  program.addCommand(runCommand(command, abort.signal).copyInheritedSettings(program));
  program.addCommand(baselinesCommand(command, abort.signal).copyInheritedSettings(program));
  program.addCommand(parityCommand(abort.signal).copyInheritedSettings(program));
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (abort.signal.aborted) {
      process.stderr.write('Stopped; nothing was left behind.\n');
      return 130;
    }
    if (!UserLlmError.isInstance(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    process.removeListener('SIGINT', stop);
  }
}

import { Command, CommanderError } from '@commander-js/extra-typings';
import { UserLlmError } from '@user-llm/tensor';
import { describeCommand } from './data/describe-command.js';
import { dataDownloadCommand } from './data/download-command.js';
import { prepareCommand } from './data/prepare-command.js';
import { downloadCommand } from './llm/download-command.js';
import { quantizeCommand } from './llm/quantize-command.js';
import { runCommands, Stopped } from './run/run-commands.js';

/**
 * Runs `user-llm-train`.
 *
 * @param args What follows the command's name.
 * @returns The exit code: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C or SIGTERM.
 */
export async function main(args: readonly string[]): Promise<number> {
  const abort = new AbortController();
  const stop = () => abort.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const program = new Command('user-llm-train').description('prepare data and train').exitOverride();
  const data = program.command('data').description('from raw files to canonical events');
  for (const command of [dataDownloadCommand(abort.signal), prepareCommand(abort.signal), describeCommand()]) {
    data.addCommand(command.copyInheritedSettings(program));
  }
  const llm = program.command('llm').description('language models to start from');
  llm.addCommand(downloadCommand(abort.signal).copyInheritedSettings(program));
  llm.addCommand(quantizeCommand(abort.signal).copyInheritedSettings(program));
  for (const command of runCommands(abort.signal)) program.addCommand(command.copyInheritedSettings(program));
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Stopped) {
      process.stderr.write(`${error.message}\n`);
      return 130;
    }
    if (abort.signal.aborted) {
      process.stderr.write('Stopped; nothing was left behind.\n');
      return 130;
    }
    if (!UserLlmError.isInstance(error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    process.removeListener('SIGINT', stop);
    process.removeListener('SIGTERM', stop);
  }
}

import { CommanderError } from '@commander-js/extra-typings';
import { UserLlmError } from '@user-llm/tensor';
import { runDemo } from './demo.js';
import { demoOptions } from './options.js';
import { ProgressLine } from './progress-line.js';
import { Stopped } from './train-run.js';

/**
 * The command `demo`.
 *
 * @param args What follows the command's name.
 * @returns The exit status: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
 */
export async function main(args: readonly string[]): Promise<number> {
  const abort = new AbortController();
  const stop = (): void => {
    process.stderr.write('\nStopping: training that is under way is saved. Once more to end at once.\n');
    abort.abort();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const progress = new ProgressLine(process.stderr);
  try {
    await runDemo(demoOptions(args), {
      signal: abort.signal,
      say: (line) => void process.stdout.write(`${line}\n`),
      progress,
      command: ['npm', 'run', 'demo', ...(args.length > 0 ? ['--', ...args] : [])],
    });
    return 0;
  } catch (error) {
    progress.end();
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Stopped || abort.signal.aborted) {
      process.stderr.write('Stopped. The same command goes on from the last training step, or the last answers.\n');
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

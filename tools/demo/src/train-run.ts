import { join } from 'node:path';
import { UserLlmError } from '@user-llm/tensor';
import { runTraining, type Run, type RunProgress } from '@user-llm/training';

/** What a run needs besides its recipe. */
export interface RunSession {
  /** Folder of the whole demo; a run is a folder in it. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: RunProgress) => void;
}

/** Raised when Ctrl-C has stopped the demo; what was trained is kept, and the same command goes on. */
export class Stopped extends Error {}

/**
 * Trains a run in its own folder, or goes on with one that was stopped there.
 *
 * @returns The folder of the trained model.
 * @throws Stopped when the signal stopped it; UserLlmError `run-mismatch` when a demo with other flags stands there.
 */
export async function trainRun(run: Run, { folder, signal, onProgress }: RunSession): Promise<string> {
  const own = join(folder, run.config.name);
  const result = await runTraining(run, { folder: own, signal, onProgress }).catch((error: unknown) => {
    if (!UserLlmError.isInstance(error) || error.code !== 'run-mismatch') throw error;
    throw new UserLlmError('run-mismatch', {
      what: own,
      expected: 'a demo with the same --seed, --data and efforts',
      got: error.details.got ?? 'one with others',
      mend: 'Give the flags of the first call, or another folder with --out.',
      cause: error,
    });
  });
  if (result.status === 'stopped') throw new Stopped();
  return join(own, 'model');
}

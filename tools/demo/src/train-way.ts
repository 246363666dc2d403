import { join } from 'node:path';
import { runTraining, type Run, type RunProgress, type RunResult } from '@user-llm/training';

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
 * @throws Stopped when the signal stopped it.
 */
export async function trainRun(run: Run, { folder, signal, onProgress }: RunSession): Promise<string> {
  const own = join(folder, run.config.name);
  const result: RunResult = await runTraining(run, { folder: own, signal, onProgress });
  if (result.status === 'stopped') throw new Stopped();
  return join(own, 'model');
}

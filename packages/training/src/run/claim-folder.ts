import { UserLlmError } from '@user-llm/tensor';
import { configHash } from './config-hash.js';
import type { RunConfig } from './run-config.js';
import type { RunFolder } from './run-folder.js';

const fileName = 'run.json';

interface RunFile {
  readonly format: 'user-llm-run';
  readonly version: 1;
  readonly hash: string;
  readonly config: RunConfig;
}

/**
 * Makes the folder that of this run, unless it is already.
 *
 * @throws UserLlmError `run-mismatch` when a run of another config stands there.
 */
export async function claimFolder(folder: RunFolder, config: RunConfig): Promise<void> {
  const hash = configHash(config);
  const there = (await folder.readJson(fileName)) as RunFile | undefined;
  if (there === undefined) {
    await folder.writeJson({ format: 'user-llm-run', version: 1, hash, config } satisfies RunFile, fileName);
    return;
  }
  if (there.hash === hash) return;
  throw new UserLlmError('run-mismatch', {
    what: folder.file(fileName),
    expected: 'a run of the same config',
    got: `a run of another one (${describeDifference(there.config, config)})`,
    mend: 'Give the config that the run was started with, or train in another folder.',
  });
}

/**
 * The config that a run was started with.
 *
 * @throws UserLlmError `no-run` when no run stands in the folder.
 */
export async function startedConfig(folder: RunFolder): Promise<unknown> {
  const there = (await folder.readJson(fileName)) as Partial<RunFile> | undefined;
  if (there?.format === 'user-llm-run' && there.config !== undefined) return there.config;
  throw new UserLlmError('no-run', {
    what: folder.file(fileName),
    expected: 'the config of a run that was started there',
    got: there === undefined ? 'no such file' : 'something else',
    mend: 'Give the folder that was --out of `user-llm-train run`.',
  });
}

/** Names of the fields at the top that differ. */
function describeDifference(before: object, now: object): string {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const value = (config: object, key: string): unknown => (config as Readonly<Record<string, unknown>>)[key];
  return keys.filter((key) => configHash(value(before, key)) !== configHash(value(now, key))).join(', ');
}

import { existsSync } from 'node:fs';
import { UserLlmError } from '@user-llm/tensor';
import { modelFiles } from '@user-llm/user-llm';
import { z } from 'zod';
import { configHash } from './config-hash.js';
import type { KeptTokenizers } from './preparation.js';
import type { PreparedRun } from './prepare-run.js';
import type { RunConfig } from './run-config.js';
import { badRunFolder, type RunFolder } from './run-folder.js';

const fileName = 'run.json';

const runFile = z.looseObject({
  format: z.literal('user-llm-run'),
  version: z.literal(1),
  hash: z.string(),
  config: z.looseObject({}),
});

/**
 * What the tokenizers have learned of a run that was started in the folder; nothing when none was.
 *
 * @throws UserLlmError `run-mismatch` when a run of another config was started there, `bad-run-folder` when its files are
 *   damaged, or when something stands where a data set is to be made of raw files.
 */
export async function keptTokenizers(folder: RunFolder, config: RunConfig): Promise<KeptTokenizers | undefined> {
  const json = await folder.readJson(fileName);
  if (json === undefined) {
    requireNoData(folder, config);
    return undefined;
  }
  const there = runFile.safeParse(json);
  if (!there.success) {
    const problem = z.prettifyError(there.error);
    throw badRunFolder(folder.file(fileName), 'the config of a run, version 1', problem, 'Train in another folder.');
  }
  if (there.data.hash !== configHash(config)) {
    throw new UserLlmError('run-mismatch', {
      what: folder.file(fileName),
      expected: 'a run of the same config',
      got: `a run of another one (${describeDifference(there.data.config, config)})`,
      mend: 'Give the config that the run was started with, or train in another folder.',
    });
  }
  return {
    eventTokenizer: await folder.readJson(modelFiles.eventTokenizer),
    textTokenizer: await folder.readJson(modelFiles.textTokenizer),
  };
}

/** Makes the folder that of a run that can begin: its tokenizers, and then its config. */
export async function claimFolder(folder: RunFolder, config: RunConfig, { data, text }: PreparedRun): Promise<void> {
  await folder.writeJson(data.tokenizer.toJSON(), modelFiles.eventTokenizer);
  if (text && config.text?.kind !== 'checkpoint') await folder.writeJson(text.json, modelFiles.textTokenizer);
  const about = { format: 'user-llm-run', version: 1, hash: configHash(config), config };
  await folder.writeJson(about, fileName);
}

/** What nobody knows the options of is neither gone on with nor replaced. */
function requireNoData(folder: RunFolder, { data }: RunConfig): void {
  const path = folder.file('data');
  if (data.raw === undefined || !existsSync(path)) return;
  throw badRunFolder(
    path,
    'nothing, since no run was started here',
    'something',
    'Remove it, or train in another folder. A data set can be named as data.dataset in place of data.raw.',
  );
}

/**
 * The config that a run was started with.
 *
 * @throws UserLlmError `no-run` when no run stands in the folder.
 */
export async function startedConfig(folder: RunFolder): Promise<unknown> {
  const there = await folder.readJson(fileName);
  const run = runFile.safeParse(there);
  if (run.success) return run.data.config;
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

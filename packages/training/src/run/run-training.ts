import { rm } from 'node:fs/promises';
import { datasetParts } from '@user-llm/datasets';
import type { Registry, TrackedRun } from '@user-llm/plugin';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { loadPlugins, userLlmRegistry } from '@user-llm/user-llm';
import { trackerOf } from '../trackers/built-in.js';
import { checkRun } from './check-run.js';
import { claimFolder, keptTokenizers } from './claim-folder.js';
import { prepareRun, type PreparedRun } from './prepare-run.js';
import type { Run, RunConfig } from './run-config.js';
import { RunFolder, type StageResult } from './run-folder.js';
import { withRunLock } from './run-lock.js';
import type { RunOptions, RunResult } from './run-options.js';
import { saveModel } from './save-model.js';
import { trainStage, type RunSession } from './train-stage.js';

/**
 * Trains the stages of a run one after the other, and saves the model. Called again with the same folder it goes on where
 * it was stopped or killed, at any stage and step. The folder becomes that of the run when all is checked, read and
 * composed: what is refused before that leaves nothing behind.
 *
 * @throws UserLlmError `run-mismatch` when the folder holds a run of another config, `run-in-use` when somebody is
 *   training there, and what data, model and stages throw.
 */
export async function runTraining({ config, plugins }: Run, options: RunOptions): Promise<RunResult> {
  const registry = userLlmRegistry([datasetParts, ...plugins, ...(await loadPlugins(config.plugins))]);
  await checkRun(config, registry, options);
  return withRunLock(options.folder, async () => {
    const folder = new RunFolder(options.folder);
    const prepared = await preparedInFolder(config, options, registry, folder);
    return trainStages(prepared, options, registry, folder);
  });
}

async function preparedInFolder(
  config: RunConfig,
  options: RunOptions,
  registry: Registry,
  folder: RunFolder,
): Promise<PreparedRun> {
  const kept = await keptTokenizers(folder, config);
  try {
    const prepared = await prepareRun(config, { registry, options, folder, kept: kept ?? {} });
    await claimFolder(folder, config, prepared);
    return prepared;
  } catch (error) {
    // The data set of a run that never was: nothing stood there before.
    if (!kept && config.data.raw) await rm(folder.file('data'), { recursive: true, force: true });
    throw error;
  }
}

async function trainStages(
  { weights: first, ...prepared }: PreparedRun,
  options: RunOptions,
  registry: Registry,
  folder: RunFolder,
): Promise<RunResult> {
  const { config } = prepared;
  const runtime =
    options.runtime ?? (await OnnxRuntime.create(config.threads ? { intraOpThreads: config.threads } : {}));
  const trackers: TrackedRun[] = [];
  try {
    for (const tracker of [...config.trackers.map((name) => trackerOf(name, registry)), ...(options.trackers ?? [])]) {
      trackers.push(await tracker.open({ folder: folder.path, name: config.name, config }));
    }
    const session: RunSession = { ...prepared, options, folder, registry, runtime, trackers };
    let weights = first;
    const results: StageResult[] = [];
    for (const index of config.stages.keys()) {
      const done = await trainStage(session, index, weights);
      if (!done) return { status: 'stopped', stages: results, folder: folder.path };
      results.push(done.result);
      weights = { ...weights, ...done.weights };
    }
    await saveModel(session, weights);
    return { status: 'done', stages: results, folder: folder.path };
  } finally {
    await Promise.all(trackers.map((tracker) => tracker.close()));
    if (!options.runtime) await runtime.dispose();
  }
}

import { datasetParts } from '@user-llm/datasets';
import type { Registry, TrackedRun } from '@user-llm/plugin';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { loadPlugins, userLlmRegistry } from '@user-llm/user-llm';
import { jsonLinesTracker } from '../trackers/json-lines.js';
import { tensorBoardTracker } from '../trackers/tensorboard.js';
import { claimFolder } from './claim-folder.js';
import { llmCheckpoint, withCheckpoint } from './llm-checkpoint.js';
import { buildModel } from './model.js';
import { prepareData } from './prepare-data.js';
import { prepareText } from './prepare-text.js';
import type { Run, RunConfig } from './run-config.js';
import { RunFolder, type StageResult } from './run-folder.js';
import type { RunOptions, RunResult } from './run-options.js';
import { saveModel } from './save-model.js';
import { startWeights } from './start-weights.js';
import { trainStage, type RunSession } from './train-stage.js';

/**
 * Trains the stages of a run one after the other, and saves the model. Called again with the same folder it goes on where
 * it was stopped or killed, at any stage and step.
 *
 * @throws UserLlmError `run-mismatch` when the folder holds a run of another config, and what data, model and stages
 *   throw.
 */
export async function runTraining({ config: written, plugins }: Run, options: RunOptions): Promise<RunResult> {
  const folder = new RunFolder(options.folder);
  const registry = userLlmRegistry([datasetParts, ...plugins, ...(await loadPlugins(written.plugins))]);
  await claimFolder(folder, written);
  const checkpoint = await llmCheckpoint(written, registry);
  const config = withCheckpoint(written, checkpoint);
  const data = await prepareData(config, options.data, registry, folder);
  const text = checkpoint?.tokenizer ?? (config.model.llm && (await prepareText(config, data, registry, folder)));
  const model = buildModel(config.model, registry, data, text);
  const runtime =
    options.runtime ?? (await OnnxRuntime.create(config.threads ? { intraOpThreads: config.threads } : {}));
  const trackers = await openTrackers(config, registry, options);
  try {
    const session: RunSession = { config, options, folder, registry, data, text, model, runtime, trackers };
    let weights = await startWeights(config, model, checkpoint);
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

async function openTrackers(
  config: RunConfig,
  registry: Registry,
  { folder, trackers = [] }: RunOptions,
): Promise<TrackedRun[]> {
  const builtIn = new Map([jsonLinesTracker(), tensorBoardTracker()].map((tracker) => [tracker.name, tracker]));
  const chosen = config.trackers.map((name) => builtIn.get(name) ?? registry.get('trackers', name));
  return Promise.all([...chosen, ...trackers].map((tracker) => tracker.open({ folder, name: config.name, config })));
}

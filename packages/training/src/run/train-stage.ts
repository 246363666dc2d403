import { join } from 'node:path';
import { flattenParameters, type Runtime } from '@user-llm/graph';
import type { JsonTokenizer } from '@user-llm/llm';
import type { Registry, TrackedRun } from '@user-llm/plugin';
import { CheckpointStore } from '../checkpoint/checkpoint-store.js';
import type { TokenizedData } from '../data/training-data.js';
import type { Weights } from '../loop/step-figures.js';
import { train } from '../loop/train.js';
import { idleFactors } from '../optimizer/build-optimizer.js';
import { buildStage } from '../stages/build-stage.js';
import { countTrained } from '../stages/strategy.js';
import { configHash } from './config-hash.js';
import type { RunModel } from './model.js';
import type { RunConfig } from './run-config.js';
import type { RunFolder, StageResult } from './run-folder.js';
import type { RunOptions } from './run-options.js';

/** What the stages of a run share. */
export interface RunSession {
  readonly config: RunConfig;
  readonly options: RunOptions;
  readonly folder: RunFolder;
  readonly registry: Registry;
  readonly data: TokenizedData;
  /** Absent when the run has no LLM. */
  readonly text?: JsonTokenizer | undefined;
  readonly model: RunModel;
  readonly runtime: Runtime;
  readonly trackers: readonly TrackedRun[];
}

/** A stage that is done, and the parameters that it has trained. */
export interface DoneStage {
  readonly result: StageResult;
  readonly weights: Weights;
}

/**
 * Trains one stage, goes on with it, or finds that it is done.
 *
 * @param weights All parameters, as the stages before have left them.
 * @returns Nothing when the signal stopped it.
 */
export async function trainStage(session: RunSession, index: number, weights: Weights): Promise<DoneStage | undefined> {
  const { config, options, folder, model, data, text, registry, runtime, trackers } = session;
  const own = config.stages[index]!;
  const name = own.name ?? own.kind;
  const done = await folder.result(index, name, weights);
  if (done) return done;
  const seed = own.seed ?? config.seed;
  const path = await folder.stage(index, name);
  const { item } = config.model;
  const stage = await buildStage(own, { model, data, text, item, registry, runtime, seed });
  const log = (step: number, figures: Readonly<Record<string, number>>) => {
    const named = Object.fromEntries(Object.entries(figures).map(([figure, value]) => [`${name}/${figure}`, value]));
    trackers.forEach((tracker) => {
      tracker.log(step, named);
    });
  };
  try {
    const hash = configHash(
      config.model,
      config.start ?? null,
      config.text ?? null,
      own,
      seed,
      data.fingerprint,
      data.tokenizer.hash,
      text?.json ?? null,
    );
    const { ended, place, parameters } = await train({
      task: stage.task,
      weights,
      trains: (parameter) => stage.trains(parameter),
      optimizer: own.optimizer,
      budget: own.budget,
      validation: 'validation' in own ? own.validation : undefined,
      seed,
      runtime,
      registry,
      checkpoints: new CheckpointStore(join(path, 'checkpoints'), hash),
      checkpointMinutes: own.checkpointMinutes,
      folder: path,
      signal: options.signal,
      log,
      onProgress: (progress) =>
        options.onProgress?.({ ...progress, stageNumber: index + 1, stages: config.stages.length }),
      onGraphs: (graphs) =>
        options.onStage?.({
          name,
          counts: countTrained(model.parameters, graphs),
          idleFactors: idleFactors(own.optimizer, flattenParameters(model.parameters).keys()),
        }),
    });
    if (ended === 'stopped') return undefined;
    const test = await stage.test?.({ ...weights, ...parameters }, options.signal);
    if (test) log(place.step, Object.fromEntries(Object.entries(test).map(([figure, x]) => [`test/${figure}`, x])));
    const { step: steps, examples, seconds, best } = place;
    const result = { stage: name, ended, steps, examples, seconds, best, ...(test && { test }) };
    await folder.finishStage(index, name, result, parameters);
    return { result, weights: parameters };
  } finally {
    await stage.dispose();
  }
}

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
import type { FinishedStage, RunFolder } from './run-folder.js';
import type { RunOptions } from './run-options.js';
import type { StartModel } from './start-model.js';

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
  /** Absent when the run starts from no earlier model. */
  readonly start?: StartModel | undefined;
  readonly runtime: Runtime;
  readonly trackers: readonly TrackedRun[];
}

/**
 * Trains one stage, goes on with it, or finds that it is done.
 *
 * @param weights All parameters, as the stages before have left them.
 * @returns Nothing when the signal stopped it.
 */
export async function trainStage(
  session: RunSession,
  index: number,
  weights: Weights,
): Promise<FinishedStage | undefined> {
  const { config, options, folder, model, data, text, registry, runtime, trackers } = session;
  const own = config.stages[index]!;
  const name = own.name ?? own.kind;
  const seed = own.seed ?? config.seed;
  const madeWith = stageHash(session, own, seed);
  const done = await folder.result(index, name, weights, madeWith);
  if (done) return done;
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
      checkpoints: new CheckpointStore(join(path, 'checkpoints'), madeWith),
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
    const test = await stage
      .test?.({ ...weights, ...parameters }, options.signal)
      .catch((error: unknown) => (options.signal?.aborted ? undefined : Promise.reject(error as Error)));
    if (options.signal?.aborted) return undefined;
    if (test) log(place.step, Object.fromEntries(Object.entries(test).map(([figure, x]) => [`test/${figure}`, x])));
    const { step: steps, examples, seconds, best } = place;
    const result = { stage: name, ended, steps, examples, seconds, best, ...(test && { test }) };
    const finished = { result, weights: parameters };
    await folder.finishStage(index, name, finished, madeWith);
    return finished;
  } finally {
    await stage.dispose();
  }
}

/** Hash of all that decides what the steps of a stage do, but for what the stages before have left. */
function stageHash(
  { config, start, data, text }: RunSession,
  stage: RunConfig['stages'][number],
  seed: number,
): string {
  return configHash(
    config.model,
    config.start ?? null,
    start?.hash ?? null,
    config.text ?? null,
    stage,
    seed,
    data.split,
    data.fingerprint,
    data.vectorsHash ?? null,
    data.tokenizer.hash,
    text?.json ?? null,
  );
}

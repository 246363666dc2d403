import type { JsonTokenizer } from '@user-llm/llm';
import type { TokenizedData } from '../data/training-data.js';
import type { Weights } from '../loop/step-figures.js';
import { requireItemScores } from '../stages/need.js';
import { llmCheckpoint, withCheckpoint } from './llm-checkpoint.js';
import { buildModel, type RunModel } from './model.js';
import type { Preparation } from './preparation.js';
import { prepareData } from './prepare-data.js';
import { prepareText } from './prepare-text.js';
import type { RunConfig } from './run-config.js';
import { openStart, type StartModel } from './start-model.js';
import { startWeights } from './start-weights.js';

/** A run whose stages can begin. */
export interface PreparedRun {
  /** With the LLM of its checkpoint. */
  readonly config: RunConfig;
  readonly data: TokenizedData;
  /** Absent when the run has no LLM. */
  readonly text?: JsonTokenizer | undefined;
  readonly model: RunModel;
  readonly start?: StartModel | undefined;
  /** First values of all parameters. */
  readonly weights: Weights;
}

/**
 * Reads, learns and composes all that the stages of a run need, and writes nothing but the data set that is made of raw
 * files.
 *
 * @throws UserLlmError what data, model and the model to start from throw.
 */
export async function prepareRun(
  written: RunConfig,
  { registry, options, folder, kept }: Omit<Preparation, 'start'>,
): Promise<PreparedRun> {
  const start = await openStart(written);
  const checkpoint = await llmCheckpoint(written, registry);
  const config = withCheckpoint(written, checkpoint);
  const preparation: Preparation = { registry, options, folder, kept, start };
  const data = await prepareData(config, preparation);
  const text = checkpoint?.tokenizer ?? (config.model.llm && (await prepareText(config, data, preparation)));
  const model = buildModel(config.model, registry, data, text);
  for (const { kind, name = kind } of config.stages) if (kind === 'align') requireItemScores(name, model.encoder);
  const weights = await startWeights({ config, model, registry, text, checkpoint, start });
  return { config, data, text, model, start, weights };
}

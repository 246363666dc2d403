import { input } from '@user-llm/graph';
import type { Registry } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { partConfig } from '@user-llm/user-llm';
import { requireTextFile } from '../data/texts.js';
import { buildOptimizer } from '../optimizer/build-optimizer.js';
import { noLlm } from '../stages/need.js';
import { trackerOf } from '../trackers/built-in.js';
import { withVocabulary } from './model.js';
import { tokenizerFile } from './prepare-text.js';
import type { RunConfig, StageConfig } from './run-config.js';
import type { RunOptions } from './run-options.js';

/**
 * Checks what can be known of a run before anything is read or written: that there are parts, optimizers, tasks, trackers
 * and sources of these names, what is told each of them, and that files are there.
 *
 * @throws UserLlmError `no-data` when there is neither a data set in the config nor data in memory, `unknown-part`,
 *   `bad-config`, `bad-texts`, `bad-tokenizer`.
 */
export async function checkRun(config: RunConfig, registry: Registry, { data }: RunOptions): Promise<void> {
  if (!data && config.data.dataset === undefined && config.data.raw === undefined) throw noData();
  if (config.data.raw) registry.get('datasets', config.data.raw.source);
  checkParts(config, registry);
  config.trackers.forEach((name) => trackerOf(name, registry));
  if (config.text?.kind === 'file') await tokenizerFile(config.text.path);
  const hasLlm = config.model.llm !== undefined || config.text?.kind === 'checkpoint';
  for (const stage of config.stages) await checkStage(stage, registry, hasLlm);
}

function checkParts({ model, text }: RunConfig, registry: Registry): void {
  const check = (seam: 'encoders' | 'compressors' | 'fusions' | 'llms', name: string, config: unknown): unknown =>
    partConfig(`${seam} ${JSON.stringify(name)}`, registry.get(seam, name), config);
  check('encoders', model.encoder.name, model.encoder.config);
  if (!model.llm && text?.kind !== 'checkpoint') return;
  check('compressors', model.compressor.name, model.compressor.config);
  check('fusions', model.fusion.name, model.fusion.config);
  if (text?.kind === 'checkpoint' || !model.llm) return;
  check('llms', model.llm.name, withVocabulary(model.llm, anyVocabulary).config);
}

/** The size of a vocabulary that is not known yet. */
const anyVocabulary = 4096;

async function checkStage(stage: StageConfig, registry: Registry, hasLlm: boolean): Promise<void> {
  buildOptimizer(stage.optimizer, input('learningRate', 'float32', [], []), new Map(), registry);
  if (stage.kind === 'pretrain') return;
  if (!hasLlm) throw noLlm(stage.name ?? stage.kind);
  if (stage.kind === 'tune') stage.tasks.forEach(({ name }) => registry.get('tasks', name));
  if (stage.kind !== 'language') return;
  stage.prompts?.tasks.forEach((name) => registry.get('tasks', name));
  for (const file of stage.files) await requireTextFile(file);
}

function noData(): UserLlmError {
  return new UserLlmError('no-data', {
    what: 'training run',
    expected: 'data.dataset or data.raw in the config, or data in memory',
    got: 'neither',
    mend: 'Prepare a data set: user-llm-train data prepare --help',
  });
}

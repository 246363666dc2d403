import type { StageConfig } from '../run/run-config.js';
import { alignStage } from './align/align-stage.js';
import { languageStage } from './language/language-stage.js';
import { pretrainStage } from './pretrain/pretrain-stage.js';
import type { Stage, StageInputs } from './stage.js';
import { tuneStage } from './tune/tune-stage.js';

/**
 * Makes a stage of its config.
 *
 * @throws UserLlmError `bad-config` when the model lacks what the stage trains, and what its data throw.
 */
export async function buildStage(config: StageConfig, inputs: StageInputs): Promise<Stage> {
  switch (config.kind) {
    case 'pretrain':
      return pretrainStage(config, inputs);
    case 'language':
      return languageStage(config, inputs);
    case 'align':
      return alignStage(config, inputs);
    case 'tune':
      return tuneStage(config, inputs);
  }
}

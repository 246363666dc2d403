import type { StageConfig } from '../run/run-config.js';
import { pretrainStage } from './pretrain/pretrain-stage.js';
import type { Stage, StageInputs } from './stage.js';

/** Makes a stage of its config. */
export function buildStage(config: StageConfig, inputs: StageInputs): Stage {
  switch (config.kind) {
    case 'pretrain':
      return pretrainStage(config, inputs);
  }
}

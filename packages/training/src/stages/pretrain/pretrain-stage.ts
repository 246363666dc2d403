import type { Stage, StageInputs } from '../stage.js';
import { NextItemValidation } from './next-item-validation.js';
import type { PretrainConfig } from './pretrain-config.js';
import { pretrainTask } from './pretrain-task.js';

/** The stage `pretrain`: the user encoder alone, on histories. */
export function pretrainStage(config: PretrainConfig, inputs: StageInputs): Stage {
  const { model, data, item, runtime, seed } = inputs;
  const figuresOf = (part: 'validation' | 'test', users: number | null) =>
    new NextItemValidation({ encoder: model.encoder, data, item, part, users, seed, runtime });
  const validation = config.validation && figuresOf('validation', config.validation.users);
  const test = config.test ? figuresOf('test', null) : undefined;
  return {
    task: pretrainTask({ encoder: model.encoder, data, config, seed, validation }),
    trains: (name) => name.startsWith('encoder.'),
    ...(test && { test: (weights, signal) => test.figures(weights, signal) }),
    dispose: async () => {
      await validation?.dispose();
      await test?.dispose();
    },
  };
}

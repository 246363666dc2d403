import type { Optimizer } from '@user-llm/graph';
import type { ModelPart } from './model-part.js';

/** A kind of optimizer that configs can select. */
export interface OptimizerPlugin<Config = unknown> extends ModelPart<Config> {
  build(config: Config): Optimizer;
}

import type { Runtime } from '@user-llm/graph';
import type { ModelPart } from './model-part.js';

/** A kind of runtime that configs can select. */
export interface RuntimePlugin<Config = unknown> extends ModelPart<Config> {
  /** Loads what it needs, and nothing before. */
  create(config: Config): Promise<Runtime>;
}

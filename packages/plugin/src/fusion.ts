import type { Module } from '@user-llm/graph';
import type { UserLatents } from './compressor.js';
import type { LanguageModelHooks } from './language-model.js';
import type { ModelPart } from './model-part.js';

/** The widths that a fusion joins. */
export interface FusionSizes {
  readonly userWidth: number;
  readonly modelWidth: number;
  readonly layers: number;
}

/** A built fusion. */
export interface FusionModule extends Module {
  /** How the LLM reads these users: computed once per user, and the same for every token. */
  apply(parameters: never, users: UserLatents): LanguageModelHooks;
}

/** How an LLM reads a user: by cross-attention, by a soft prompt, or both. */
export interface Fusion<Config = unknown> extends ModelPart<Config> {
  build(config: Config, sizes: FusionSizes): FusionModule;
}

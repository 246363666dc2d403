import type { Module, NamedTensors } from '@user-llm/graph';
import type { UserLatents } from './compressor.js';
import type { LanguageModelHooks } from './language-model.js';
import type { ModelPart } from './model-part.js';

/** The widths that a fusion joins. */
export interface FusionSizes {
  readonly userWidth: number;
  readonly modelWidth: number;
  /** Decoder layers of the LLM. */
  readonly layers: number;
}

/**
 * What an LLM reads of users, ready to be read: keys and values per layer, a soft prompt. The same for every token and
 * every request, so it is computed once per user and kept. Each tensor's first axis is `batch`.
 */
export type UserContext = NamedTensors;

/** A built fusion. */
export interface FusionModule extends Module {
  /** What is computed once per user. A user with no events (no latent unmasked) has a context that changes nothing. */
  context(parameters: never, users: UserLatents): UserContext;
  /** How the LLM reads a context. */
  hooks(parameters: never, context: UserContext): LanguageModelHooks;
  /** Both in one: `hooks(parameters, context(parameters, users))`. */
  apply(parameters: never, users: UserLatents): LanguageModelHooks;
}

/** How an LLM reads a user: by cross-attention, by a soft prompt, or both. */
export interface Fusion<Config = unknown> extends ModelPart<Config> {
  build(config: Config, sizes: FusionSizes): FusionModule;
}

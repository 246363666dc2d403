import type { Float, Module, Symbolic } from '@user-llm/graph';
import type { ModelPart } from './model-part.js';
import type { EncodedEvents } from './user-encoder.js';

/** A user's context for the LLM before it is projected to the LLM's width. */
export interface UserLatents {
  /** `[batch, latent, userWidth]` */
  readonly latents: Float<readonly ['batch', 'latent', 'userWidth']>;
  /** `[batch, latent]`, false where there is nothing to read, as for a user with no events. */
  readonly mask: Symbolic<'bool', readonly ['batch', 'latent']>;
}

/** A built compressor. */
export interface CompressorModule extends Module {
  apply(parameters: never, events: EncodedEvents): UserLatents;
}

/** Compresses event embeddings: a Perceiver resampler, a mean, the last event, or nothing at all. */
export interface Compressor<Config = unknown> extends ModelPart<Config> {
  /** @param userWidth Width of the event embeddings. */
  build(config: Config, userWidth: number): CompressorModule;
}

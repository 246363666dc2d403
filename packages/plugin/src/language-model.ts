import type { Float, Module, Symbolic } from '@user-llm/graph';
import type { ModelPart } from './model-part.js';

/** Hidden states of the LLM: `[batch, token, modelWidth]`. */
export type HiddenStates = Float<readonly ['batch', 'token', 'modelWidth']>;

/**
 * Where others enter an LLM, which knows nothing of users: before the tokens, after the self-attention of a layer,
 * and around its linear maps.
 */
export interface LanguageModelHooks {
  /** Embeddings put before those of the tokens: `[batch, token, modelWidth]`, a soft prompt. */
  readonly prefix?: HiddenStates;
  /** Called between self-attention and feed-forward of each layer. */
  afterSelfAttention?(hidden: HiddenStates, layer: number): HiddenStates;
  /**
   * Called for each linear map, by its name in the checkpoint.
   *
   * @param mapped What the map itself makes of `x`.
   */
  linear?(name: string, x: Float, mapped: Float): Float;
}

/** Tokens to read. */
export interface TokenBatch {
  /** `[batch, token]` */
  readonly tokens: Symbolic<'int32', readonly ['batch', 'token']>;
  /** `[batch, token]`, true where there is a token. */
  readonly mask: Symbolic<'bool', readonly ['batch', 'token']>;
  readonly hooks?: LanguageModelHooks;
}

/** A built decoder-only LLM. */
export interface LanguageModelModule extends Module {
  readonly layers: number;
  readonly modelWidth: number;
  readonly vocabularySize: number;
  /** Logits of the next token at every position: `[batch, token, vocabulary]`. */
  apply(parameters: never, batch: TokenBatch): Float<readonly ['batch', 'token', 'vocabulary']>;
}

/** A family of decoder-only LLMs. */
export interface LanguageModel<Config = unknown> extends ModelPart<Config> {
  build(config: Config): LanguageModelModule;
  /** The checkpoint's name of each parameter, by our name; the same name where it is not listed. */
  checkpointNames(config: Config): Readonly<Record<string, string>>;
}

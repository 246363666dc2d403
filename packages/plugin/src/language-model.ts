import type { Float, FloatScalar, KeyValueCache, Module, Symbolic } from '@user-llm/graph';
import type { CheckpointFormat } from './checkpoint-format.js';
import type { ModelPart } from './model-part.js';

/** Hidden states of the LLM: `[batch, token, modelWidth]`. */
export type HiddenStates = Float<readonly ['batch', 'token', 'modelWidth']>;

/**
 * Where others enter an LLM, which knows nothing of users: before the tokens, after the self-attention of a layer,
 * and around its linear maps.
 */
export interface LanguageModelHooks {
  /** Embeddings put before those of the tokens, as many for every row: `[batch, token, modelWidth]`, a soft prompt. */
  readonly prefix?: HiddenStates;
  /** Called between self-attention and feed-forward of each layer, after the residual addition. */
  afterSelfAttention?(hidden: HiddenStates, layer: number): HiddenStates;
  /**
   * Called for each linear map, by the name of its parameter without `.weight`.
   *
   * @param mapped What the map itself makes of `x`.
   */
  linear?<W extends string>(
    name: string,
    x: Float<readonly ['batch', 'token', string]>,
    mapped: Float<readonly ['batch', 'token', W]>,
  ): Float<readonly ['batch', 'token', W]>;
}

/** Tokens to read, each row from its start; what is left of the row may hold any token, since none looks ahead. */
export interface TokenBatch {
  /** `[batch, token]` */
  readonly tokens: Symbolic<'int32', readonly ['batch', 'token']>;
  readonly hooks?: LanguageModelHooks;
}

/** Keys and values of the tokens before in one layer, each `[batch, head, place, headSize]`. */
export interface LayerCache {
  readonly keys: KeyValueCache<'batch'>;
  readonly values: KeyValueCache<'batch'>;
}

/** New positions of sequences whose earlier positions are cached. Each row is a slot of its own. */
export interface DecodeStep {
  /** `[batch, token, modelWidth]`: `embed` of new tokens, a soft prompt, or both joined. */
  readonly embeddings: HiddenStates;
  /** `[batch]`: how many positions came before, a soft prompt's included. */
  readonly lengths: Symbolic<'int32', readonly ['batch']>;
  /** One per layer. */
  readonly caches: readonly LayerCache[];
  /** `prefix` is ignored: give it as `embeddings`. */
  readonly hooks?: LanguageModelHooks;
}

/** New positions that branch: those of a row may continue different earlier ones, as the beams of a search do. */
export interface BranchStep {
  /** `[batch, token, modelWidth]`: `embed` of new tokens. */
  readonly embeddings: HiddenStates;
  /** `[batch, token]`: where each new token stands in its own sequence. */
  readonly positions: Symbolic<'int32', readonly ['batch', 'token']>;
  /**
   * `[batch, token, place]`: which places hold what a new token's own sequence has up to itself: first those of
   * `caches`, then those of `branches`, then the new tokens. A sequence's places are in its order, whatever lies between
   * them. A layer with a window reads the last of them alone. A batch of 1 is all rows'.
   */
  readonly mask: Symbolic<'bool', readonly ['batch', 'token', 'place']>;
  /** One per layer: the places that branches of a row share, any of which may be read. */
  readonly caches: readonly LayerCache[];
  /** One per layer: positions that branched before, as the step before gave them; of 0 places at first. */
  readonly branches: readonly LayerCache[];
  /** `prefix` is ignored: it belongs into `caches`. */
  readonly hooks?: LanguageModelHooks;
}

/** A linear map of an LLM. */
export interface LinearMap {
  readonly inputs: number;
  readonly outputs: number;
}

/** A built decoder-only LLM. */
export interface LanguageModelModule extends Module {
  readonly layers: number;
  readonly modelWidth: number;
  readonly vocabularySize: number;
  /** Positions it was made for; a soft prompt takes some. */
  readonly maximumTokens: number;
  /** Heads and head size of the caches; the same in every layer. */
  readonly cache: { readonly heads: number; readonly headSize: number };
  /** Linear maps inside the layers, by the names that `LanguageModelHooks.linear` is told. */
  readonly linearMaps: Readonly<Record<string, LinearMap>>;
  /** What tokens enter the first layer as: `[batch, token, modelWidth]`. */
  embed(parameters: never, tokens: Symbolic<'int32', readonly ['batch', 'token']>): HiddenStates;
  /** What enters the output layer, `[batch, token, modelWidth]`, at the tokens alone: a prefix is left out. */
  hidden(parameters: never, batch: TokenBatch): HiddenStates;
  /** As `hidden`, for new positions after cached ones, and the caches with them. */
  decode(
    parameters: never,
    step: DecodeStep,
  ): { readonly hidden: HiddenStates; readonly caches: readonly LayerCache[] };
  /**
   * As `decode`, for positions that branch; the branches that come out have the new tokens behind those that were there.
   * Absent in families that don't offer it: search over catalogues then takes other ways, or says so.
   */
  branch?(
    parameters: never,
    step: BranchStep,
  ): { readonly hidden: HiddenStates; readonly branches: readonly LayerCache[] };
  /** Logits of rows of hidden states: `[row, vocabulary]`. */
  logits(parameters: never, hidden: Float<readonly ['row', 'modelWidth']>): Float<readonly ['row', 'vocabulary']>;
  /** Mean cross-entropy of rows of hidden states with the tokens that follow them, `[row]`; -100 does not count. */
  loss(
    parameters: never,
    hidden: Float<readonly ['row', 'modelWidth']>,
    labels: Symbolic<'int32', readonly ['row']>,
  ): FloatScalar;
  /** Logits of the next token at every position: `[batch, token, vocabulary]`. */
  apply(parameters: never, batch: TokenBatch): Float<readonly ['batch', 'token', 'vocabulary']>;
}

/** A family of decoder-only LLMs. */
export interface LanguageModel<Config = unknown> extends ModelPart<Config> {
  build(config: Config): LanguageModelModule;
  /** What makes a checkpoint of the family the LLM of a run; it starts from drawn weights alone when absent. */
  readonly checkpoints?: CheckpointFormat<Config>;
}

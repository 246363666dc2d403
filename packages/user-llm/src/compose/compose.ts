import {
  divide,
  gather,
  greater,
  joinAxes,
  logSoftmax,
  multiply,
  negate,
  sparseCrossEntropy,
  sum,
  where,
  type Float,
  type FloatScalar,
  type Symbolic,
} from '@user-llm/graph';
import { joinHooks, lora, type LoraModule } from '@user-llm/fusion';
import type {
  CompressorModule,
  DecodeStep,
  EncodedEvents,
  EncodedFeature,
  EncoderInputs,
  EventBatch,
  FusionModule,
  HiddenStates,
  LanguageModelHooks,
  LanguageModelModule,
  LayerCache,
  Registry,
  UserContext,
  UserEncoderModule,
} from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { keptConfig, partConfig, type PartChoice } from '../config/part-choice.js';
import type { UserLlmConfig } from '../config/user-llm-config.js';
import { onlyAllowed } from '../prompt/title-choices.js';
import type { UserLlmParameters, UserLlmTree } from './parameters.js';

// B batch, T events, E user width, K latents, L tokens, D model width, R rows, V vocabulary.

/** What is known when a User-LLM is built. */
export interface ComposeInputs {
  /** The parts that the config may name. */
  readonly registry: Registry;
  /** The features of an event as ids; see `encodedFeatures`. */
  readonly features: readonly EncodedFeature[];
  /** Vectors known of a feature's ids beforehand, as the encoder takes them. */
  readonly vectors?: EncoderInputs['vectors'];
  /** Which ids training events have, as the encoder takes it. */
  readonly seen?: EncoderInputs['seen'];
  /** Other features of the items, as the encoder takes them. */
  readonly itemFeatures?: EncoderInputs['itemFeatures'];
}

/** Tokens that the LLM reads, of users or of nobody. */
export interface TextBatch {
  /** `[batch, token]`, each row from its start; what is left of the row may hold any token. */
  readonly tokens: Symbolic<'int32', readonly ['batch', 'token']>;
  /** What the LLM reads of each row's user; absent for the LLM without users, as the text-prompt baseline runs it. */
  readonly context?: UserContext;
  /** Changes with every training step; nothing is dropped in LoRA when it is absent. */
  readonly seed?: Symbolic<'int32', readonly []>;
}

/** Tokens with what is to be predicted. */
export interface AnswerBatch extends TextBatch {
  /** Positions that predict, as flat positions `batch * tokens + token`, `[row]`. */
  readonly rows: Symbolic<'int32', readonly ['row']>;
  /** The token after each of them, `[row]`; -100 where a row only fills up. */
  readonly labels: Symbolic<'int32', readonly ['row']>;
  /**
   * Tokens that each row's label is chosen among, `[row, vocabulary]`, see `allowedTokens`; all when absent. With it all
   * rows' logits are in memory at once, and an LLM's own `loss` is not asked.
   */
  readonly allowed?: Symbolic<'bool', readonly ['row', 'vocabulary']>;
  /**
   * How likely each token is at each row, `[row, vocabulary]`, in place of `labels`, which are not read then: numbers that
   * add up to 1, or to 0 where a row only fills up. All rows' logits are in memory at once with it, too.
   */
  readonly expected?: Float<readonly ['row', 'vocabulary']>;
}

/** New positions of sequences whose earlier positions are cached, with what is read of each row's user. */
export interface UserDecodeStep extends Omit<DecodeStep, 'hooks'> {
  readonly context?: UserContext;
}

/** A composed User-LLM: parameters, and pure functions on symbolic tensors. */
export interface UserLlmModel {
  /** The config, the defaults of the parts' own configs filled in. */
  readonly config: UserLlmConfig;
  readonly features: readonly EncodedFeature[];
  /** Events of a history that are read: the last ones count. */
  readonly maximumEvents: number;
  readonly encoder: UserEncoderModule;
  readonly compressor: CompressorModule;
  readonly fusion: FusionModule;
  readonly lora?: LoraModule;
  readonly llm: LanguageModelModule;
  readonly parameters: UserLlmParameters;
  /** What the LLM reads of users, from their encoded events; each tensor's first axis is `batch`. */
  contextOf(tree: UserLlmTree, encoded: EncodedEvents): UserContext;
  /** What the LLM reads of users, from their histories. */
  userContext(tree: UserLlmTree, batch: EventBatch): UserContext;
  /** The LLM's hooks: the fusion's for a context, and LoRA's. */
  hooks(tree: UserLlmTree, context?: UserContext, seed?: TextBatch['seed']): LanguageModelHooks;
  /** What enters the output layer at each token: `[batch, token, modelWidth]`. */
  hidden(tree: UserLlmTree, batch: TextBatch): HiddenStates;
  /** Mean cross-entropy of the rows. */
  loss(tree: UserLlmTree, batch: AnswerBatch): FloatScalar;
  /** Logits of the next token at every position: `[batch, token, vocabulary]`. */
  logits(tree: UserLlmTree, batch: TextBatch): Float<readonly ['batch', 'token', 'vocabulary']>;
  /** As `hidden`, for new positions after cached ones; a soft prompt is put in as embeddings, see `prompt`. */
  decode(
    tree: UserLlmTree,
    step: UserDecodeStep,
  ): { readonly hidden: HiddenStates; readonly caches: readonly LayerCache[] };
  /** Embeddings that stand before the tokens for a context, `[batch, token, modelWidth]`; none without soft prompt. */
  prompt(tree: UserLlmTree, context: UserContext): HiddenStates | undefined;
}

/**
 * Joins a user encoder, a compressor, a fusion and an LLM, as a config names them, to one model (arXiv 2402.13598).
 *
 * @throws UserLlmError `unknown-part` for a name that no plugin offers, `bad-config` for what a part refuses or for more
 *   events than the encoder reads, `bad-plugin` for a part that cannot keep its config, and what the parts throw.
 */
export function composeUserLlm(
  config: UserLlmConfig,
  { registry, features, vectors, seen, itemFeatures }: ComposeInputs,
): UserLlmModel {
  const part = <S extends 'encoders' | 'compressors' | 'fusions' | 'llms'>(
    seam: S,
    { name, config: own }: PartChoice,
  ) => {
    const found = registry.get(seam, name);
    const what = `${seam} ${JSON.stringify(name)}`;
    const filled = partConfig(what, found, own);
    return { part: found, config: filled, kept: { name, config: keptConfig(what, found, filled) } };
  };
  const chosen = {
    encoder: part('encoders', config.encoder),
    compressor: part('compressors', config.compressor),
    fusion: part('fusions', config.fusion),
    llm: part('llms', config.llm),
  };
  const encoder = chosen.encoder.part.build(chosen.encoder.config, {
    features,
    item: config.item,
    ...(vectors && { vectors }),
    ...(seen && { seen }),
    ...(itemFeatures && { itemFeatures }),
  });
  const { userWidth } = encoder;
  const maximumEvents = eventsRead(config, encoder);
  const compressor = chosen.compressor.part.build(chosen.compressor.config, userWidth);
  const llm = chosen.llm.part.build(chosen.llm.config);
  const { layers, modelWidth } = llm;
  const fusion = chosen.fusion.part.build(chosen.fusion.config, { userWidth, modelWidth, layers });
  const adapters = config.lora && lora(config.lora, llm.linearMaps);

  const of = (tree: UserLlmTree) => tree as unknown as Readonly<Record<keyof UserLlmParameters, never>>;
  const contextOf: UserLlmModel['contextOf'] = (tree, encoded) =>
    fusion.context(of(tree).fusion, compressor.apply(of(tree).compressor, encoded));
  const hooks: UserLlmModel['hooks'] = (tree, context, seed) =>
    joinHooks(context && fusion.hooks(of(tree).fusion, context), adapters?.hooks(of(tree).lora, seed ? { seed } : {}));
  const hidden: UserLlmModel['hidden'] = (tree, { tokens, context, seed }) =>
    llm.hidden(of(tree).llm, { tokens, hooks: hooks(tree, context, seed) });

  return {
    config: {
      ...config,
      encoder: chosen.encoder.kept,
      compressor: chosen.compressor.kept,
      fusion: chosen.fusion.kept,
      llm: chosen.llm.kept,
    },
    features,
    maximumEvents,
    encoder,
    compressor,
    fusion,
    ...(adapters && { lora: adapters }),
    llm,
    parameters: {
      encoder: encoder.parameters,
      compressor: compressor.parameters,
      fusion: fusion.parameters,
      ...(adapters && { lora: adapters.parameters }),
      llm: llm.parameters,
    },
    contextOf,
    userContext: (tree, batch) => contextOf(tree, encoder.apply(of(tree).encoder, batch)),
    hooks,
    hidden,
    loss: (tree, { rows, labels, allowed, expected, ...batch }) => {
      const hidden_RD = gather(positionsOf(hidden(tree, batch)), rows);
      if (!allowed && !expected) return llm.loss(of(tree).llm, hidden_RD, labels);
      const all_RV = llm.logits(of(tree).llm, hidden_RD);
      const logits_RV = allowed ? onlyAllowed(all_RV, allowed) : all_RV;
      if (expected) return expectedCrossEntropy(logits_RV, expected);
      return sparseCrossEntropy(logits_RV, labels, { ignore: -100 });
    },
    logits: (tree, { tokens, context, seed }) => llm.apply(of(tree).llm, { tokens, hooks: hooks(tree, context, seed) }),
    decode: (tree, { context, ...step }) => llm.decode(of(tree).llm, { ...step, hooks: hooks(tree, context) }),
    prompt: (tree, context) => fusion.hooks(of(tree).fusion, context).prefix,
  };
}

/** All positions of all rows, one after the other: `[position, modelWidth]`. */
function positionsOf(hidden_BLD: HiddenStates): Float<readonly ['position', 'modelWidth']> {
  return joinAxes(hidden_BLD, ['batch', 'token'], 'position', ['position', 'modelWidth']);
}

function eventsRead({ maximumEvents, encoder: { name } }: UserLlmConfig, encoder: UserEncoderModule): number {
  if (maximumEvents === undefined || maximumEvents <= encoder.maximumEvents)
    return maximumEvents ?? encoder.maximumEvents;
  throw new UserLlmError('bad-config', {
    what: 'maximumEvents',
    expected: `at most ${encoder.maximumEvents}, the events that the encoder ${JSON.stringify(name)} reads`,
    got: `${maximumEvents}`,
    mend: "Raise the encoder's own maximumEvents, or lower this one.",
  });
}

/** The mean cross-entropy of rows with probabilities, of those rows that have any; 0 when none has. */
function expectedCrossEntropy(
  logits_RV: Float<readonly ['row', 'vocabulary']>,
  expected_RV: Float<readonly ['row', 'vocabulary']>,
): FloatScalar {
  const likelihood_R = sum(multiply(expected_RV, logSoftmax(logits_RV, 'vocabulary')), 'vocabulary');
  const rows = sum(sum(expected_RV, 'vocabulary'), 'row');
  return negate(divide(sum(likelihood_R, 'row'), where(greater(rows, 0), rows, 1)));
}

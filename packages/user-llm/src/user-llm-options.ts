import type { Runtime } from '@user-llm/graph';
import type { ChatMessage, GenerationOptions, JsonTokenizer } from '@user-llm/llm';
import type { EncoderInputs, Item, Plugin } from '@user-llm/plugin';
import type { Tensor } from '@user-llm/tensor';
import type { EventTokenizer } from '@user-llm/tokenization';
import type { UserLlmConfigInput } from './config/user-llm-config.js';
import type { TrainedOn } from './model/model-parts.js';
import type { Weights } from './model/weights.js';
import type { ContextValues, User } from './user/user-encoding.js';

/** What a User-LLM runs on, and which plugins it is made of. */
export interface UserLlmOptions {
  /** What it runs on; it stays the caller's. ONNX Runtime, started when first needed, when absent. */
  readonly runtime?: Runtime;
  /** Plugins that the config's parts come from, beside our own. */
  readonly plugins?: readonly Plugin[];
  /** Most answers that are written at once, 8 unless told: others wait, and each takes memory for its tokens. */
  readonly answersAtOnce?: number;
  /**
   * Bits of the LLM's matrices while it answers, in blocks of 32 (its output layer has 8 either way): less memory is read
   * for each token, and answers differ a little. As they were trained when absent; what is saved is never quantized.
   */
  readonly bits?: 4 | 8;
  /**
   * With `bits`, whether matrices are kept in their blocks alone: one or two bytes less for each of their numbers, but
   * prompts are read more slowly (`DecoderOptions` of `@user-llm/llm`).
   */
  readonly compact?: boolean;
}

/** What a User-LLM is made of. */
export interface CreateOptions extends UserLlmOptions {
  readonly config: UserLlmConfigInput;
  /** Fitted on the events of the config. */
  readonly eventTokenizer: EventTokenizer;
  /** As `loadTokenizer` of `@user-llm/llm` reads it. */
  readonly textTokenizer: JsonTokenizer;
  /** The items that may be recommended. */
  readonly catalogue: readonly Item[];
  /** All parameters by full name, or a seed to draw them from. */
  readonly weights: Weights | Readonly<Record<string, Tensor>> | { readonly seed: number };
  /** Vectors known of a feature's ids beforehand, as the encoder takes them. */
  readonly vectors?: EncoderInputs['vectors'];
  /** What is asked when the LLM recommends items; the first wording of the task `next-item` unless told. */
  readonly recommendPrompt?: string;
  /** What the weights were trained on; model directories keep it. */
  readonly trainedOn?: TrainedOn;
}

/** About whom something is asked. */
export interface AskedUser {
  /** A state or a history; a user of whom nothing is known when absent. */
  readonly user?: User;
  /** What `context` gave for the user, instead of `user`: nothing is then computed again. */
  readonly context?: ContextValues;
  /** Asks the LLM alone, without anything of users: the text-prompt baseline, whose prompt tells the history. */
  readonly withoutUser?: boolean;
}

/** A question in words about a user. */
export interface Question extends AskedUser {
  /** What is asked. */
  readonly prompt: string;
}

/** A question to be answered in words; options of generation are those of `@user-llm/llm`. */
export interface GenerateOptions extends Question, Omit<GenerationOptions, 'maximumTokens'> {
  /** The conversation that `prompt` stands for: an LLM with a chat template reads it instead, in that form. */
  readonly messages?: readonly ChatMessage[];
  /** Most tokens of the answer; as many as the LLM has room for when absent. */
  readonly maximumTokens?: number;
  readonly signal?: AbortSignal;
}

/** How items are ranked. */
export interface RecommendOptions {
  /** By the encoder's scores of the whole catalogue (when absent), or by the LLM's likelihood of their titles. */
  readonly by?: 'encoder' | 'llm';
  /** Items to leave out, such as those seen. */
  readonly exclude?: Iterable<string>;
  /** What the LLM is asked; the model's `recommendPrompt` unless told. */
  readonly prompt?: string;
  /** Beginnings of titles that the LLM's search follows up at one time; `count` but at least 16 unless told. */
  readonly beamWidth?: number;
  readonly signal?: AbortSignal;
}

/** How titles are ranked. */
export interface RankTitlesOptions {
  /** Items per question at most. */
  readonly count: number;
  /** Beginnings of titles that are followed up at one time; `count` but at least 16 unless told. */
  readonly beamWidth?: number;
  /** For each question the items that must not be found. */
  readonly exclude?: readonly (ReadonlySet<string> | undefined)[];
  readonly signal?: AbortSignal;
}

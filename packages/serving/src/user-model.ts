import type { Event, Item, UserState } from '@user-llm/plugin';
import type { ChatMessage } from '@user-llm/user-llm';

/** How tokens are drawn; what is absent is left to the model. */
export interface Sampling {
  /** 0 takes the likeliest token each time. */
  readonly temperature?: number;
  /** How many of the likeliest tokens are drawn from. */
  readonly topK?: number;
  /** Share of probability, 0 to 1, from which tokens are drawn. */
  readonly topP?: number;
  /** Share of the likeliest token's probability, 0 to 1, that a token needs to be drawn. */
  readonly minP?: number;
  /** Divides the positive logits, and multiplies the negative ones, of tokens that occurred already. */
  readonly repetitionPenalty?: number;
  readonly seed?: number;
}

/** What a question about a user is answered from. */
export interface GenerateRequest<Context> extends Sampling {
  /** What `context` made of the user. */
  readonly context: Context;
  /** What is asked, in words. */
  readonly prompt: string;
  /** The conversation whose texts `prompt` joins, where it came as one: for an LLM that knows a form for turns. */
  readonly messages?: readonly ChatMessage[];
  /** Most tokens of the answer. */
  readonly maximumTokens: number;
  /** Aborts: the iterator then throws or ends. */
  readonly signal: AbortSignal;
}

/** One item of a ranking. */
export interface Recommendation {
  readonly item: string;
  readonly title?: string;
  /** The higher the better; comparable within one ranking only. */
  readonly score: number;
}

/** How a ranking is asked for. */
export interface RecommendRequest {
  readonly by: 'encoder' | 'llm';
  /** Items to leave out. */
  readonly exclude: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * The model that a server answers with; `userModelOf` makes one of a `UserLlm`.
 *
 * @typeParam Context What the LLM reads of a user, such as keys and values per layer: made once per state, used by many
 *   requests.
 */
export interface UserModel<Context = unknown> {
  /** What the API calls it. */
  readonly name: string;
  /** Hash of the encoder and its vocabularies; the same as `UserState.encoder` of what it encodes. */
  readonly encoderHash: string;
  /** The catalogue, in its order. */
  readonly items: readonly Item[];
  /** Whether `recommend` can rank by the LLM too. */
  readonly recommendsBy: readonly ('encoder' | 'llm')[];
  /** The state of a history, oldest event first. */
  encode(events: readonly Event[]): Promise<UserState>;
  /** The state with further events, without reading those before again where the encoder can. */
  append(state: UserState, events: readonly Event[]): Promise<UserState>;
  /** What the LLM reads of a user; `undefined` is a user of whom nothing is known. */
  context(state: UserState | undefined): Promise<Context>;
  /**
   * The answer, one token's text after the other; a token may have no text of its own. A last text that ends with U+FFFD,
   * a character that is not whole, is of no further token.
   */
  generate(request: GenerateRequest<Context>): AsyncIterable<string>;
  /** The `count` best items, best first. */
  recommend(state: UserState, count: number, request: RecommendRequest): Promise<readonly Recommendation[]>;
  /**
   * How many tokens the LLM reads of a prompt, or of the conversation that it stands for; of one that has no room, as many
   * as show that.
   */
  countTokens(prompt: string, messages?: readonly ChatMessage[]): number;
  /** Tokens that the LLM has room for, a prompt and its answer together; any number when absent. */
  readonly maximumTokens?: number;
  /** Most UTF-16 units of a prompt that can have so few tokens: longer ones are refused before they are read. */
  readonly longestPrompt?: number;
}

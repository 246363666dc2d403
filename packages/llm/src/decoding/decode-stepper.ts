import type { Value } from '@user-llm/graph';
import type { Tensor } from '@user-llm/tensor';

/** What an LLM reads beside tokens, by the names of its inputs: each tensor's first axis has one entry per sequence. */
export type ContextValues = Readonly<Record<string, Tensor | Value>>;

/** Sequences in progress, each in a slot: what was read of it is kept, so that reading on costs new tokens only. */
export interface Slots {
  /** Positions read so far, by slot; a soft prompt's count. */
  readonly lengths: readonly number[];
  /** Positions that each slot has room for. */
  readonly room: number;
  /** Releases the memory; doing so twice is harmless. */
  dispose(): void;
}

/** How one call goes. */
export interface StepOptions {
  /** Ends the call early: it rejects with `aborted`, and the slots are then of no more use. */
  readonly signal?: AbortSignal;
}

/** How a call goes that gives logits for tokens one after the other. */
export interface LogitsOptions extends StepOptions {
  /**
   * Logits that are read no more, such as those of the step before: where they are of the same size, the new ones may be
   * put into their memory. Without it every step leaves a tensor to the garbage collector.
   */
  readonly reuse?: Tensor<'float32'>;
}

/** What a prompt is read with. */
export interface PrefillOptions extends StepOptions {
  /** Positions to make room for in each slot, a soft prompt's included; the LLM's `maximumTokens` unless told. */
  readonly room?: number;
  /** What the LLM reads beside the tokens, one entry per prompt; as many as the decoder was made for. */
  readonly context?: ContextValues;
}

/** Tokens of several sequences that branch off one slot each. */
export interface BranchTokens {
  /** `[slot][token]`, as many for each slot. */
  readonly tokens: readonly (readonly number[])[];
  /** For each of them, where it continues: the index of an earlier branch token of its slot, or -1 for the prompt's end. */
  readonly parents: readonly (readonly number[])[];
}

/** Branches in progress: tokens that were read behind the prompts of slots, by slot and in the order of reading. */
export interface Branches {
  /** Branch tokens read so far, per slot. */
  readonly count: number;
  dispose(): void;
}

/**
 * Reads tokens step by step and tells what may come next. Slots are independent of each other, so sequences may join
 * and leave between steps: batches of unequal prompts, and continuous batching.
 */
export interface DecodeStepper {
  readonly vocabularySize: number;
  /** Positions the LLM was made for, a soft prompt's included. */
  readonly maximumTokens: number;
  /** Positions that a soft prompt takes in each slot; 0 without one. */
  readonly prefixTokens: number;
  /**
   * Reads prompts, each into a slot of its own.
   *
   * @param prompts At least one token each; they may be of unequal lengths.
   * @returns The slots in the order of the prompts, and logits of the next token, `[row, vocabulary]`.
   * @throws UserLlmError `too-many-tokens` when a prompt does not fit, `bad-argument` for an empty one.
   */
  prefill(
    prompts: readonly (readonly number[])[],
    options?: PrefillOptions,
  ): Promise<{ readonly slots: Slots; readonly logits: Tensor<'float32'> }>;
  /**
   * Reads one more token in each slot.
   *
   * @param tokens One per slot; a negative one leaves its slot as it is (its logits then mean nothing).
   * @returns Logits of the next token, `[row, vocabulary]`.
   * @throws UserLlmError `too-many-tokens` when a slot is full.
   */
  step(slots: Slots, tokens: readonly number[], options?: LogitsOptions): Promise<Tensor<'float32'>>;
  /**
   * Reads several more tokens in each slot, as many or as few as each has, at least one.
   *
   * @returns As `step`, after the last token of each.
   */
  extend(slots: Slots, tokens: readonly (readonly number[])[], options?: LogitsOptions): Promise<Tensor<'float32'>>;
  /**
   * New slots made of those of others, which stay as they are: chosen, repeated, reordered, joined.
   *
   * @param parts Slots with the indices that are taken of them, in order; all of the same room.
   */
  arrange(parts: readonly { readonly slots: Slots; readonly rows: readonly number[] }[]): Promise<Slots>;
  /**
   * Reads tokens that branch off the prompts of slots, as the beams of a search do: prompts are neither copied nor
   * read again. Absent where the LLM does not offer it.
   *
   * @param slots Those of the search from its first call to its last, with no `step` or `extend` between.
   * @param branches What the call before has given; nothing at first. It is disposed of.
   * @returns Logarithms of the probabilities of what follows each token, `[batch, token, vocabulary]`.
   */
  branch?(
    slots: Slots,
    tokens: BranchTokens,
    branches?: Branches,
    options?: StepOptions,
  ): Promise<{ readonly branches: Branches; readonly logProbabilities: Tensor<'float32'> }>;
  /** Releases the programs. */
  dispose(): Promise<void>;
}

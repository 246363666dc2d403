import {
  rankTitles,
  scoreChoices,
  type TitleTrie,
  type DecodeStepper,
  type RankedTitle,
  type RankingOptions,
} from '@user-llm/llm';
import type { Item, TextTokenizer } from '@user-llm/plugin';
import { decoderContext, type Decoders } from '../inference/decoders.js';
import { encodeAnswer, encodePrompt } from '../prompt/prompt-format.js';
import { titleTrie } from '../prompt/title-choices.js';
import type { ContextValues } from '../user/user-encoding.js';

/** Questions whose answer is one of several: an item of the catalogue, or one of a few labels. */
export class Choices {
  readonly #tokenizer: TextTokenizer;
  readonly #decoders: Decoders;
  readonly #catalogue: readonly Item[];
  readonly #constrained: boolean;
  #trie: TitleTrie | undefined;

  /** @param constrained Whether the LLM was trained to choose among the titles. */
  constructor(tokenizer: TextTokenizer, decoders: Decoders, catalogue: readonly Item[], constrained: boolean) {
    this.#tokenizer = tokenizer;
    this.#decoders = decoders;
    this.#catalogue = catalogue;
    this.#constrained = constrained;
  }

  /**
   * The items whose titles the LLM finds likeliest as the answer, for each prompt.
   *
   * @param context What the LLM reads of the users, one row per prompt; nothing for the LLM alone.
   */
  async rank(
    prompts: readonly string[],
    context: ContextValues | undefined,
    options: Omit<RankingOptions, 'constrained'>,
    signal?: AbortSignal,
  ): Promise<RankedTitle[][]> {
    this.#trie ??= titleTrie(this.#tokenizer, this.#catalogue);
    const inputs = await this.#inputs(prompts, context, signal);
    return rankTitles(inputs, this.#trie, { ...options, constrained: this.#constrained });
  }

  /** Natural logarithms of the probabilities of choices as the answer, for each prompt. */
  async score(
    prompts: readonly string[],
    context: ContextValues | undefined,
    choices: readonly string[],
    signal?: AbortSignal,
  ): Promise<Float64Array[]> {
    const tokens = choices.map((choice) => this.#answer(choice));
    return scoreChoices(await this.#inputs(prompts, context, signal), tokens, this.#tokenizer.end);
  }

  async #inputs(prompts: readonly string[], context: ContextValues | undefined, signal: AbortSignal | undefined) {
    const stepper: DecodeStepper = await this.#decoders.get(context ? 'user' : 'alone');
    return {
      stepper,
      prompts: prompts.map((prompt) => encodePrompt(this.#tokenizer, prompt)),
      ...(context && { context: decoderContext(context) }),
      ...(signal && { signal }),
    };
  }

  /** The tokens of an answer without the one that ends it. */
  #answer(text: string): number[] {
    return encodeAnswer(this.#tokenizer, text).slice(0, -1);
  }
}

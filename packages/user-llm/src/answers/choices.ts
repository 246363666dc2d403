import {
  rankTitles,
  scoreChoices,
  TitleTrie,
  type DecodeStepper,
  type RankedTitle,
  type RankingOptions,
} from '@user-llm/llm';
import type { Item, TextTokenizer } from '@user-llm/plugin';
import { decoderContext, type Decoders } from '../inference/decoders.js';
import { encodeAnswer, encodePrompt } from '../prompt/prompt-format.js';
import type { ContextValues } from '../user/user-encoding.js';

/** Questions whose answer is one of several: an item of the catalogue, or one of a few labels. */
export class Choices {
  readonly #tokenizer: TextTokenizer;
  readonly #decoders: Decoders;
  readonly #catalogue: readonly Item[];
  #trie: TitleTrie | undefined;

  constructor(tokenizer: TextTokenizer, decoders: Decoders, catalogue: readonly Item[]) {
    this.#tokenizer = tokenizer;
    this.#decoders = decoders;
    this.#catalogue = catalogue;
  }

  /**
   * The items whose titles the LLM finds likeliest as the answer, for each prompt.
   *
   * @param context What the LLM reads of the users, one row per prompt; nothing for the LLM alone.
   */
  async rank(
    prompts: readonly string[],
    context: ContextValues | undefined,
    options: RankingOptions,
    signal?: AbortSignal,
  ): Promise<RankedTitle[][]> {
    this.#trie ??= this.#titles();
    return rankTitles(await this.#inputs(prompts, context, signal), this.#trie, options);
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

  #titles(): TitleTrie {
    const titles = this.#catalogue.map((item) => ({ item: item.item, tokens: this.#answer(titleOf(item)) }));
    return new TitleTrie(titles, this.#tokenizer.end);
  }

  /** The tokens of an answer without the one that ends it. */
  #answer(text: string): number[] {
    return encodeAnswer(this.#tokenizer, text).slice(0, -1);
  }
}

/** What an item is called, as the tasks' answers have it: its title on one line, or its id where it has none. */
function titleOf({ item, title }: Item): string {
  const line = title?.replace(/\s+/gu, ' ').trim();
  return line === undefined || line === '' ? item : line;
}

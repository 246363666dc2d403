import type { AddedToken, TokenizerJson } from '../tokenizer-json.js';
import { addedTokenSplitter } from './added-tokens.js';
import { decoderOf, type TokenDecoder } from './decoders.js';
import { normalizerOf, type Normalizer } from './normalizers.js';
import { preTokenizerOf, type PreTokenizer } from './pre-tokenizers.js';
import { wordModelOf, type WordModel } from './word-models.js';

type Splitter = ReturnType<typeof addedTokenSplitter>;

/** What a `tokenizer.json` does to texts and tokens: added tokens, normalizer, pre-tokenizer, model, decoder. */
export class TextPipeline {
  readonly #added: readonly AddedToken[];
  readonly #normalize: Normalizer;
  readonly #preTokenize: PreTokenizer;
  readonly #model: WordModel;
  readonly #decode: TokenDecoder;
  readonly #names = new Map<number, string>();
  readonly #plain: readonly [raw: Splitter, normalized: Splitter];
  #marked: readonly [raw: Splitter, normalized: Splitter] | undefined;

  /** @throws Error for steps that are not known. */
  constructor({ added_tokens, normalizer, pre_tokenizer, model, decoder }: TokenizerJson) {
    this.#added = added_tokens;
    this.#normalize = normalizer ? normalizerOf(normalizer) : (text) => text;
    this.#preTokenize = pre_tokenizer ? preTokenizerOf(pre_tokenizer) : (text) => [text];
    const special = new Set(added_tokens.filter((token) => token.special).map(({ content }) => content));
    this.#model = wordModelOf(model, special);
    this.#decode = decoder ? decoderOf(decoder) : (tokens) => [tokens.join(' ')];
    const { vocab } = model;
    if (Array.isArray(vocab)) vocab.forEach(([piece], id) => this.#names.set(id, piece));
    else for (const [token, id] of Object.entries(vocab)) this.#names.set(id, token);
    for (const token of added_tokens)
      this.#names.set(token.id, isNormalized(token) ? this.#normalize(token.content) : token.content);
    this.#plain = this.#splitters(added_tokens.filter((token) => !token.special));
  }

  /** How many numbers tokens have, from 0 to the largest. */
  get vocabularySize(): number {
    let largest = -1;
    for (const id of this.#names.keys()) largest = Math.max(largest, id);
    return largest + 1;
  }

  /**
   * The tokens of a text.
   *
   * @param marked Whether special tokens that are written in the text are read as such.
   * @param guard A text that keeps what stands around it from being one added token, and is then left out.
   */
  encode(text: string, marked = false, guard = ''): number[] {
    if (marked) this.#marked ??= this.#splitters(this.#added);
    const [raw, normalized] = (marked && this.#marked) || this.#plain;
    const tokens: number[] = [];
    raw(text).forEach((part, at) => {
      if (typeof part === 'number') tokens.push(part);
      else
        normalized(this.#normalize(part)).forEach((inner, innerAt) => {
          if (typeof inner === 'number') tokens.push(inner);
          else this.#encodePlain(guard ? inner.replaceAll(guard, '') : inner, at === 0 && innerAt === 0, tokens);
        });
    });
    return tokens;
  }

  #encodePlain(text: string, first: boolean, tokens: number[]): void {
    for (const word of this.#preTokenize(text, first)) for (const token of this.#model(word)) tokens.push(token);
  }

  /** The text of tokens, special ones as they are written. */
  decode(tokens: readonly number[]): string {
    const names = tokens.flatMap((token) => this.#names.get(token) ?? []);
    return this.#decode(names).join('');
  }

  /** The added tokens that are found before texts are normalized, and those after. */
  #splitters(tokens: readonly AddedToken[]): readonly [Splitter, Splitter] {
    const normalized = tokens.filter(isNormalized);
    const raw = tokens.filter((token) => !normalized.includes(token));
    return [
      addedTokenSplitter(
        raw,
        raw.map(({ content }) => content),
      ),
      addedTokenSplitter(
        normalized,
        normalized.map(({ content }) => this.#normalize(content)),
      ),
    ];
  }
}

/**
 * Whether an added token is looked for in normalized texts. Special ones never are: what only becomes one by
 * normalization is what a user wrote.
 */
function isNormalized({ special, normalized = true }: AddedToken): boolean {
  return !special && normalized;
}

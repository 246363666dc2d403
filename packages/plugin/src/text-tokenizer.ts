/** Text to tokens and back, as one LLM reads it. */
export interface TextTokenizer {
  /** Number of tokens, special ones included. */
  readonly vocabularySize: number;
  /** What stands before a sequence that the LLM reads: one token for most LLMs, none for others. */
  readonly opensWith: readonly number[];
  /** The token that ends an answer. */
  readonly end: number;
  /** Tokens of a text, without `opensWith` and `end`; special tokens written in the text are plain text. */
  encode(text: string): number[];
  /** The text of tokens; special ones are left out. */
  decode(tokens: readonly number[]): string;
}

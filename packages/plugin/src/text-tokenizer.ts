/** Text to tokens and back, as one LLM reads it. */
export interface TextTokenizer {
  /** Number of tokens, special ones included. */
  readonly vocabularySize: number;
  /** The token that starts a sequence, where the LLM wants one. */
  readonly begin?: number;
  /** The token that ends an answer. */
  readonly end: number;
  /** Tokens of a text, without `begin` and `end`; special tokens written in the text are plain text. */
  encode(text: string): number[];
  /** The text of tokens; special ones are left out. */
  decode(tokens: readonly number[]): string;
}

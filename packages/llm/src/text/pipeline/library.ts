import * as exported from '@huggingface/tokenizers';

/** A step of the library, made of what a `tokenizer.json` says of it. */
type Made<T> = new (step: object) => T;

/** A model of the library: words to tokens. */
export interface LibraryModel {
  (words: string[]): string[];
  readonly tokens_to_ids: ReadonlyMap<string, number>;
  readonly unk_token_id?: number;
}

/** What we take from the library; its own declarations of these cannot be found by the rules of Node's modules. */
export const library = exported as unknown as {
  readonly ReplaceNormalizer: Made<{ readonly pattern: RegExp | null }>;
  readonly BertNormalizer: Made<{ normalize(text: string): string }>;
  readonly BPEDecoder: Made<{ decode_chain(tokens: string[]): string[] }>;
  readonly WordPieceDecoder: Made<{ decode_chain(tokens: string[]): string[] }>;
  readonly BPE: Made<LibraryModel>;
  readonly WordPiece: Made<LibraryModel>;
};

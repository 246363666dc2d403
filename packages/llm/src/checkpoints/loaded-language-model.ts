import { UserLlmError, type Tensor } from '@user-llm/tensor';
import type { JsonTokenizer } from '../text/load-tokenizer.js';
import type { TokenizerJson } from '../text/tokenizer-json.js';

/** A language model as a checkpoint holds it. */
export interface LoadedLanguageModel<W = Tensor<'float32'>> {
  /** Our name of its family: the `LanguageModel` that builds it. */
  readonly family: string;
  /** The family's config. */
  readonly config: unknown;
  /** Parameters by name. */
  readonly weights: Record<string, W>;
  /** Absent where the checkpoint has none. */
  readonly tokenizer?: JsonTokenizer;
}

/** @throws UserLlmError `wrong-tokenizer` when a tokenizer has more tokens than the model. */
export function requireOwnTokenizer(what: string, tokenizer: JsonTokenizer | undefined, vocabularySize: number): void {
  if (!tokenizer || tokenizer.vocabularySize <= vocabularySize) return;
  throw wrongTokenizer(what, `at most the model's ${vocabularySize} tokens`, `${tokenizer.vocabularySize}`);
}

/**
 * Throws for a tokenizer of another model, which shows where the model's own numbers name no token of it; that a model
 * has more tokens than its tokenizer is usual.
 *
 * @param ids Of the tokens that the model's files say begin, end and fill up.
 * @throws UserLlmError `wrong-tokenizer`.
 */
export function requireTokens(
  what: string,
  { model: { vocab }, added_tokens }: TokenizerJson,
  ids: readonly number[],
): void {
  const tokens = new Set(Array.isArray(vocab) ? vocab.keys() : Object.values(vocab));
  for (const { id } of added_tokens) tokens.add(id);
  const missing = ids.find((id) => !tokens.has(id));
  if (missing === undefined) return;
  throw wrongTokenizer(
    what,
    'the tokens that config.json and generation_config.json name',
    `none of number ${missing}`,
  );
}

function wrongTokenizer(what: string, expected: string, got: string): UserLlmError {
  return new UserLlmError('wrong-tokenizer', {
    what: `tokenizer of ${what}`,
    expected,
    got,
    mend: 'Put the tokenizer of this model beside it.',
  });
}

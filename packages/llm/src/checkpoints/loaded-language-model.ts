import { UserLlmError, type Tensor } from '@user-llm/tensor';
import type { JsonTokenizer } from '../text/load-tokenizer.js';

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
  throw new UserLlmError('wrong-tokenizer', {
    what: `tokenizer of ${what}`,
    expected: `at most the model's ${vocabularySize} tokens`,
    got: `${tokenizer.vocabularySize}`,
    mend: 'Put the tokenizer of this model beside it.',
  });
}

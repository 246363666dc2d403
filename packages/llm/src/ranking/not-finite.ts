import { UserLlmError } from '@user-llm/tensor';

/** The error of logits or likelihoods that nothing can be chosen by: NaN, or infinite where one must be finite. */
export function notFinite(what: string, got: number): UserLlmError {
  return new UserLlmError('not-finite', {
    what,
    expected: 'finite numbers',
    got: `${got}`,
    mend: 'Check the weights, and what the LLM is given besides tokens: they hold NaN, or numbers that are too large.',
  });
}

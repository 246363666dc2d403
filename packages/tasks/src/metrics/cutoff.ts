import { UserLlmError } from '@user-llm/tensor';

/**
 * Checks a whole number from 1 up, such as the `k` of `recall@k`.
 *
 * @throws UserLlmError `bad-cutoff` otherwise.
 */
export function checkedCutoff(what: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UserLlmError('bad-cutoff', { what, expected: 'a whole number from 1 up', got: String(value) });
}

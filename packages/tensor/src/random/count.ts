import { UserLlmError } from '../errors.js';

/**
 * The number itself, when it is whole and from `least` to `most`.
 *
 * @throws UserLlmError `bad-count` when it is not.
 */
export function checkCount(what: string, value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new UserLlmError('bad-count', {
      what,
      expected: `a whole number from ${least} to ${most}`,
      got: String(value),
    });
  }
  return value;
}

/**
 * Checks the real numbers that describe a distribution.
 *
 * @throws UserLlmError `bad-distribution` when one is not finite, or `wrong` holds.
 */
export function checkDistribution(what: string, values: readonly number[], wrong: boolean, expected: string): void {
  if (wrong || !values.every(Number.isFinite)) {
    throw new UserLlmError('bad-distribution', { what, expected, got: values.join(' and ') });
  }
}

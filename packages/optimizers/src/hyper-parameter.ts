import { UserLlmError } from '@user-llm/tensor';

/** Where a number has to lie. */
export interface Range {
  readonly least: number;
  /** Infinity unless told. */
  readonly most?: number;
  /** Whether `least` itself is out. */
  readonly above?: boolean;
  /** Whether `most` itself is out. */
  readonly below?: boolean;
  readonly whole?: boolean;
}

/** Any finite number that is not negative. */
export const notNegative: Range = { least: 0 };
/** The factor of a moving average. */
export const decayRate: Range = { least: 0, most: 1, below: true };
/** A finite number above zero. */
export const positive: Range = { least: 0, above: true };
/** A number of steps. */
export const count: Range = { least: 1, whole: true };

/**
 * The number itself.
 *
 * @throws UserLlmError `bad-hyper-parameter` when it lies outside the range or is not finite.
 */
export function checked(what: string, value: number, range: Range): number {
  const { least, most = Infinity, above = false, below = false, whole = false } = range;
  const inside =
    Number.isFinite(value) &&
    (above ? value > least : value >= least) &&
    (below ? value < most : value <= most) &&
    (!whole || Number.isSafeInteger(value));
  if (!inside) {
    const upper = Number.isFinite(most) ? ` and ${below ? 'below' : 'at most'} ${most}` : '';
    throw new UserLlmError('bad-hyper-parameter', {
      what,
      expected: `a ${whole ? 'whole' : 'finite'} number ${above ? 'above' : 'of at least'} ${least}${upper}`,
      got: String(value),
    });
  }
  return value;
}

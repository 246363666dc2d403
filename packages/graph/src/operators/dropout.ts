import { UserLlmError, type Axes } from '@user-llm/tensor';
import type { Float, Symbolic } from '../symbolic.js';
import { rawMultiply } from './arithmetic.js';
import { rawCast } from './cast.js';
import { rawLessEqual } from './comparison.js';
import { scalarLike } from './elementwise.js';
import { applyOne } from '../operator.js';
import { uniformOperator } from './uniform.js';

/**
 * Elements set to 0 with a probability, the others scaled up so that the mean stays (Srivastava et al. 2014). Which
 * ones depends on seed, stream and position alone, so that a step can be repeated and every runtime drops the same.
 *
 * @param rate The probability, from 0 up to and excluding 1; 0 gives `x` itself.
 * @param seed One whole number that changes with every step.
 * @param stream Different for every use within a model.
 * @throws UserLlmError `bad-argument` when the rate is not a probability below 1.
 */
export function dropout<A extends Axes>(
  x: Float<A>,
  rate: number,
  seed: Symbolic<'int32', readonly []>,
  stream: number,
): Float<A> {
  if (!(rate >= 0 && rate < 1)) {
    throw new UserLlmError('bad-argument', {
      what: 'dropout',
      expected: 'a rate from 0 up to and excluding 1',
      got: `${rate}`,
    });
  }
  if (rate === 0) return x;
  const draws = applyOne(uniformOperator, [seed], { axes: x.axes, shape: x.shape, stream });
  const kept = rawCast(rawLessEqual(scalarLike(draws, rate), draws), x.dtype);
  return rawMultiply(x, rawMultiply(kept, scalarLike(kept, 1 / (1 - rate)))) as Float<A>;
}

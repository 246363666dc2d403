import { add, divide, minimum, multiply, squareRoot } from '@user-llm/graph';
import { checked, count, notNegative } from '../hyper-parameter.js';
import { scalarOf } from '../scalar.js';
import type { Schedule } from './schedule.js';

/** Options of `inverseSquareRootSchedule`. */
export interface InverseSquareRootScheduleOptions {
  /** At the end of the warm-up. */
  readonly peak: number;
  /** How many steps rise; 1 for none. */
  readonly warmUpSteps: number;
}

/**
 * A straight rise, then a fall with the square root of the steps: `peak * min(n / w, sqrt(w / n))` with `n = step + 1`
 * and `w = warmUpSteps` (Vaswani et al., "Attention is all you need", NeurIPS 2017, equation 3, scaled to its peak).
 *
 * @throws UserLlmError `bad-hyper-parameter` when `peak` is negative or `warmUpSteps` is below 1.
 */
export function inverseSquareRootSchedule({ peak, warmUpSteps }: InverseSquareRootScheduleOptions): Schedule {
  checked('inverseSquareRootSchedule: peak', peak, notNegative);
  checked('inverseSquareRootSchedule: warmUpSteps', warmUpSteps, count);
  return (step) => {
    const taken = add(step, 1);
    const rise = multiply(taken, 1 / warmUpSteps);
    const fall = squareRoot(divide(scalarOf(taken, warmUpSteps), taken));
    return multiply(minimum(rise, fall), peak);
  };
}

import { add, cosine, minimum, multiply } from '@user-llm/graph';
import { checked, count, notNegative } from '../hyper-parameter.js';
import type { Schedule } from './schedule.js';

/** Options of `cosineSchedule`. */
export interface CosineScheduleOptions {
  /** At step 0. */
  readonly peak: number;
  /** From step `steps` on; 0 unless told. */
  readonly end?: number;
  /** How many steps the way down takes. */
  readonly steps: number;
}

/**
 * Half a period of a cosine, and its end ever after: `end + (peak - end) * (1 + cos(pi * min(step / steps, 1))) / 2`
 * (Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5, without restarts).
 *
 * @throws UserLlmError `bad-hyper-parameter` when `peak` or `end` is negative or `steps` is below 1.
 */
export function cosineSchedule({ peak, end = 0, steps }: CosineScheduleOptions): Schedule {
  checked('cosineSchedule: peak', peak, notNegative);
  checked('cosineSchedule: end', end, notNegative);
  checked('cosineSchedule: steps', steps, count);
  const middle = (peak + end) / 2;
  return (step) => {
    const angle = multiply(minimum(multiply(step, 1 / steps), 1), Math.PI);
    return add(multiply(cosine(angle), peak - middle), middle);
  };
}

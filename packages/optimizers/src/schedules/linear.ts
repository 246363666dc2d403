import { add, minimum, multiply } from '@user-llm/graph';
import { checked, count, notNegative } from '../hyper-parameter.js';
import type { Schedule } from './schedule.js';

/** Options of `linearSchedule`. */
export interface LinearScheduleOptions {
  /** At step 0. */
  readonly from: number;
  /** From step `steps` on. */
  readonly to: number;
  /** How many steps the way takes. */
  readonly steps: number;
}

/**
 * A straight line, and its end ever after: `from + (to - from) * min(step / steps, 1)`.
 *
 * @throws UserLlmError `bad-hyper-parameter` when `from` or `to` is negative or `steps` is below 1.
 */
export function linearSchedule({ from, to, steps }: LinearScheduleOptions): Schedule {
  checked('linearSchedule: from', from, notNegative);
  checked('linearSchedule: to', to, notNegative);
  checked('linearSchedule: steps', steps, count);
  return (step) => add(multiply(minimum(multiply(step, 1 / steps), 1), to - from), from);
}

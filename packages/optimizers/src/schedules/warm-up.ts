import { add, minimum, multiply } from '@user-llm/graph';
import { checked, count } from '../hyper-parameter.js';
import type { Schedule } from './schedule.js';

/**
 * A schedule multiplied by `min((step + 1) / steps, 1)`: the first of `steps` steps gets a share of it, not nothing,
 * and the last gets all. The schedule itself counts from the first step on, not from the end of the warm-up.
 *
 * @param steps How many steps it takes.
 * @throws UserLlmError `bad-hyper-parameter` when `steps` is below 1.
 */
export function warmUp(schedule: Schedule, steps: number): Schedule {
  checked('warmUp: steps', steps, count);
  return (step) => multiply(schedule(step), minimum(multiply(add(step, 1), 1 / steps), 1));
}

import { checked, type Range } from '../hyper-parameter.js';
import { scalarOf } from '../scalar.js';
import type { Schedule } from './schedule.js';

const finite: Range = { least: -Number.MAX_VALUE };

/**
 * The same number at every step.
 *
 * @throws UserLlmError `bad-hyper-parameter` when it is not finite.
 */
export function constantSchedule(value: number): Schedule {
  checked('constantSchedule', value, finite);
  return (step) => scalarOf(step, value);
}

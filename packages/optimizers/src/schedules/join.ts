import { UserLlmError } from '@user-llm/tensor';
import { less, subtract, where } from '@user-llm/graph';
import { checked, count } from '../hyper-parameter.js';
import type { Schedule } from './schedule.js';

/** A schedule and how long it holds. */
export interface SchedulePart {
  readonly schedule: Schedule;
  /** How many steps; the last part may leave it out and goes on for ever. */
  readonly steps?: number;
}

/**
 * Schedules one after the other, each counting from its own first step.
 *
 * @throws UserLlmError `bad-hyper-parameter` when there is no part, when one before the last does not say how long it
 *   holds, or when a number of steps is below 1.
 */
export function joinSchedules(parts: readonly SchedulePart[]): Schedule {
  const last = parts.at(-1);
  if (!last) {
    throw new UserLlmError('bad-hyper-parameter', { what: 'joinSchedules', expected: 'a part at least', got: 'none' });
  }
  let start = 0;
  const starts = parts.slice(0, -1).map(({ steps }, index) => {
    start += checked(`joinSchedules: parts[${index}].steps`, steps ?? NaN, count);
    return start;
  });
  return (step) =>
    parts
      .slice(0, -1)
      .reduceRight(
        (later, { schedule }, index) =>
          where(less(step, starts[index]!), schedule(index === 0 ? step : subtract(step, starts[index - 1]!)), later),
        last.schedule(starts.length === 0 ? step : subtract(step, starts.at(-1)!)),
      );
}

import { multiply, type FloatScalar } from '@user-llm/graph';
import { checked, notNegative } from './hyper-parameter.js';
import type { ParameterSettings } from './parameter-group.js';
import { constantSchedule } from './schedules/constant.js';
import type { Schedule } from './schedules/schedule.js';

/** A learning rate: one number for all steps, or a schedule. */
export type LearningRate = number | Schedule;

/**
 * A learning rate as a function of the step and a parameter's settings.
 *
 * @throws UserLlmError `bad-hyper-parameter` when a number is negative or not finite.
 */
export function rateOf(
  what: string,
  learningRate: LearningRate,
): (step: FloatScalar, settings: ParameterSettings) => FloatScalar {
  const schedule =
    typeof learningRate === 'function'
      ? learningRate
      : constantSchedule(checked(`${what}: learningRate`, learningRate, notNegative));
  return (step, { learningRateFactor }) =>
    learningRateFactor === 1 ? schedule(step) : multiply(schedule(step), learningRateFactor);
}

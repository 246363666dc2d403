import { multiply, type Optimizer } from '@user-llm/graph';
import { stepScalars } from './scalar.js';
import { constantSchedule } from './schedules/constant.js';
import type { Schedule } from './schedules/schedule.js';
import { mapNamed } from './transformation.js';

/**
 * Multiplies all gradients by one number, negative to go downhill.
 *
 * @throws UserLlmError `bad-hyper-parameter` when it is not finite.
 */
export function scale(factor: number): Optimizer {
  return { ...scaleBySchedule(constantSchedule(factor)), name: 'scale' };
}

/** Multiplies all gradients by a number that depends on the step. */
export function scaleBySchedule(schedule: Schedule): Optimizer {
  return {
    name: 'scaleBySchedule',
    init: () => ({}),
    update: (gradients, _state, _parameters, step) => {
      const factors = stepScalars(step, schedule);
      return { updates: mapNamed(gradients, (slope) => multiply(slope, factors(slope.dtype))), state: {} };
    },
  };
}

import { add, multiply, type Optimizer } from '@user-llm/graph';
import { checked, notNegative } from './hyper-parameter.js';
import { stateless } from './transformation.js';

/**
 * Adds `weightDecay * parameter` to each gradient.
 *
 * @param match Which parameters decay, by name; all unless told.
 * @throws UserLlmError `bad-hyper-parameter` when the decay is negative or not finite.
 */
export function addDecayedWeights(weightDecay: number, match: (name: string) => boolean = () => true): Optimizer {
  checked('addDecayedWeights', weightDecay, notNegative);
  return stateless('addDecayedWeights', (slope, parameter, name) =>
    match(name) ? add(slope, multiply(parameter, weightDecay)) : slope,
  );
}

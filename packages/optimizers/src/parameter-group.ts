import { checked, notNegative } from './hyper-parameter.js';

/** Parameters that are trained differently from the rest. */
export interface ParameterGroup {
  /** Whether a parameter belongs to the group, by its name; the first group that matches counts. */
  readonly match: (name: string) => boolean;
  /** What the learning rate is multiplied by; 1 unless told. */
  readonly learningRateFactor?: number;
  /** The optimizer's own unless told. */
  readonly weightDecay?: number;
}

/** What holds for one parameter. */
export interface ParameterSettings {
  readonly learningRateFactor: number;
  readonly weightDecay: number;
}

/**
 * The settings of each parameter by its name; the same object for all of a group.
 *
 * @throws UserLlmError `bad-hyper-parameter` when a factor or a decay is negative or not finite.
 */
export function parameterSettings(
  what: string,
  weightDecay: number,
  groups: readonly ParameterGroup[] = [],
): (name: string) => ParameterSettings {
  const rest = { learningRateFactor: 1, weightDecay: checked(`${what}: weightDecay`, weightDecay, notNegative) };
  const settled = groups.map((group, index) => ({
    match: group.match,
    settings: {
      learningRateFactor: checked(
        `${what}: groups[${index}].learningRateFactor`,
        group.learningRateFactor ?? 1,
        notNegative,
      ),
      weightDecay: checked(`${what}: groups[${index}].weightDecay`, group.weightDecay ?? weightDecay, notNegative),
    },
  }));
  return (name) => settled.find(({ match }) => match(name))?.settings ?? rest;
}

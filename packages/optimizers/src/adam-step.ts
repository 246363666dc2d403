import { add, divide, multiply, negate, squareRoot, type Float, type Optimizer } from '@user-llm/graph';
import { checked, decayRate, notNegative } from './hyper-parameter.js';
import { rateOf, type LearningRate } from './learning-rate.js';
import { named, zeroState } from './named.js';
import { parameterSettings, type ParameterGroup } from './parameter-group.js';
import { geometricSum, stepScalars } from './scalar.js';

/** Options of `adam` and `adamW`. */
export interface AdamOptions {
  readonly learningRate: LearningRate;
  /** The share of the running sum of gradients that stays from step to step; 0.9 unless told. */
  readonly firstDecay?: number;
  /** The share of the running sum of squares that stays from step to step; 0.999 unless told. */
  readonly secondDecay?: number;
  /** Added to the root of the mean square, so that it is never divided by zero; 1e-8 unless told. */
  readonly epsilon?: number;
  /** 0 for `adam` and 0.01 for `adamW` unless told. */
  readonly weightDecay?: number;
  readonly groups?: readonly ParameterGroup[];
}

/** How weight decay enters: by the gradients, or beside them. */
export type DecayKind = 'coupled' | 'decoupled';

/**
 * Adam with either kind of weight decay.
 *
 * The state is running *sums*, `first = firstDecay * first + gradient` and `second = secondDecay * second + gradient^2`:
 * the means of the paper divided by `1 - firstDecay` and `1 - secondDecay`. That saves a pass over memory for each of
 * them, as the factors go into numbers that are computed once a step. With `n = (1 - decay^t) / (1 - decay)`, the
 * means without bias are `first / n1` and `second / n2`, and the paper's step
 * `-rate * (first / n1) / (sqrt(second / n2) + epsilon)` is `first * (-rate * sqrt(n2) / n1) / (sqrt(second) +
 * epsilon * sqrt(n2))`.
 */
export function adamStep(name: string, kind: DecayKind, defaultDecay: number, options: AdamOptions): Optimizer {
  const rate = rateOf(name, options.learningRate);
  const firstDecay = checked(`${name}: firstDecay`, options.firstDecay ?? 0.9, decayRate);
  const secondDecay = checked(`${name}: secondDecay`, options.secondDecay ?? 0.999, decayRate);
  const epsilon = checked(`${name}: epsilon`, options.epsilon ?? 1e-8, notNegative);
  const settingsOf = parameterSettings(name, options.weightDecay ?? defaultDecay, options.groups);
  return {
    name,
    init: (parameters) => ({ ...zeroState('first', parameters), ...zeroState('second', parameters) }),
    update: (gradients, state, parameters, step) => {
      const scalars = stepScalars(step, (before, settings) => {
        const taken = add(before, 1);
        const root = squareRoot(geometricSum(taken, secondDecay));
        const downhill = negate(rate(before, settings));
        return {
          scale: multiply(downhill, divide(root, geometricSum(taken, firstDecay))),
          floor: multiply(root, epsilon),
          shrink: multiply(downhill, settings.weightDecay),
        };
      });
      const updates: Record<string, Float> = {};
      const kept: Record<string, Float> = {};
      for (const parameterName of Object.keys(gradients)) {
        const parameter = named(parameters, parameterName, 'the parameter');
        const settings = settingsOf(parameterName);
        const { scale, floor, shrink } = scalars(parameter.dtype, settings);
        const decays = settings.weightDecay !== 0;
        let slope = named(gradients, parameterName, 'the gradient');
        if (decays && kind === 'coupled') slope = add(slope, multiply(parameter, settings.weightDecay));
        const first = add(multiply(named(state, `first/${parameterName}`, 'the state'), firstDecay), slope);
        const squares = multiply(slope, slope);
        const second = add(multiply(named(state, `second/${parameterName}`, 'the state'), secondDecay), squares);
        const moved = divide(multiply(first, scale), add(squareRoot(second), floor));
        updates[parameterName] = decays && kind === 'decoupled' ? add(moved, multiply(parameter, shrink)) : moved;
        kept[`first/${parameterName}`] = first;
        kept[`second/${parameterName}`] = second;
      }
      return { updates, state: kept };
    },
  };
}

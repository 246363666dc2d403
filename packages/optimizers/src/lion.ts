import { add, multiply, negate, sign, subtract, type Float, type Optimizer } from '@user-llm/graph';
import { checked, decayRate } from './hyper-parameter.js';
import { rateOf, type LearningRate } from './learning-rate.js';
import { named, zeroState } from './named.js';
import { parameterSettings, type ParameterGroup } from './parameter-group.js';
import { stepScalars } from './scalar.js';

/** Options of `lion`. */
export interface LionOptions {
  /** Three to ten times smaller than for AdamW, says the paper, with a weight decay as many times larger. */
  readonly learningRate: LearningRate;
  /** The share of the momentum in what gives the sign; 0.9 unless told. */
  readonly firstDecay?: number;
  /** The share of the momentum that stays from step to step; 0.99 unless told. */
  readonly secondDecay?: number;
  /** Decoupled; 0 unless told. */
  readonly weightDecay?: number;
  readonly groups?: readonly ParameterGroup[];
}

/**
 * Lion: steps of equal size by the sign of an interpolation between momentum and gradient. Chen et al., "Symbolic
 * discovery of optimization algorithms", NeurIPS 2023, algorithm 2.
 *
 * State: `momentum/NAME`.
 *
 * @throws UserLlmError `bad-hyper-parameter` when an option is out of its range.
 */
export function lion(options: LionOptions): Optimizer {
  const rate = rateOf('lion', options.learningRate);
  const firstDecay = checked('lion: firstDecay', options.firstDecay ?? 0.9, decayRate);
  const secondDecay = checked('lion: secondDecay', options.secondDecay ?? 0.99, decayRate);
  const settingsOf = parameterSettings('lion', options.weightDecay ?? 0, options.groups);
  return {
    name: 'lion',
    init: (parameters) => zeroState('momentum', parameters),
    update: (gradients, state, parameters, step) => {
      const scalars = stepScalars(step, (taken, settings) => {
        const downhill = negate(rate(taken, settings));
        return { downhill, shrink: multiply(downhill, settings.weightDecay) };
      });
      const updates: Record<string, Float> = {};
      const momenta: Record<string, Float> = {};
      for (const name of Object.keys(gradients)) {
        const parameter = named(parameters, name, 'the parameter');
        const settings = settingsOf(name);
        const { downhill, shrink } = scalars(parameter.dtype, settings);
        const slope = named(gradients, name, 'the gradient');
        const momentum = named(state, `momentum/${name}`, 'the state');
        const towards = subtract(slope, momentum);
        const moved = multiply(sign(add(momentum, multiply(towards, 1 - firstDecay))), downhill);
        updates[name] = settings.weightDecay === 0 ? moved : add(moved, multiply(parameter, shrink));
        momenta[`momentum/${name}`] = add(momentum, multiply(towards, 1 - secondDecay));
      }
      return { updates, state: momenta };
    },
  };
}

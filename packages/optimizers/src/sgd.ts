import { UserLlmError } from '@user-llm/tensor';
import { add, equal, multiply, negate, where, type Optimizer } from '@user-llm/graph';
import { checked, notNegative } from './hyper-parameter.js';
import { rateOf, type LearningRate } from './learning-rate.js';
import { named, zeroState } from './named.js';
import { parameterSettings, type ParameterGroup } from './parameter-group.js';
import { scalarOf, stepScalars } from './scalar.js';

/** Options of `sgd`. */
export interface SgdOptions {
  readonly learningRate: LearningRate;
  /** The share of the running sum that stays from step to step; 0 unless told, and then no state is held. */
  readonly momentum?: number;
  /** The share of a gradient that does not enter the running sum, but for the first; 0 unless told. */
  readonly dampening?: number;
  /** Whether to step to where momentum will lead; needs momentum and no dampening. */
  readonly nesterov?: boolean;
  /** Added to the gradients as this times the parameters; 0 unless told. */
  readonly weightDecay?: number;
  readonly groups?: readonly ParameterGroup[];
}

/**
 * Stochastic gradient descent with momentum: `buffer = momentum * buffer + (1 - dampening) * gradient`, and the update
 * is `-learningRate * buffer`, or with Nesterov's momentum `-learningRate * (gradient + momentum * buffer)`. The
 * buffer starts as the first gradient. Sutskever et al., "On the importance of initialization and momentum in deep
 * learning", ICML 2013, in the form of `torch.optim.SGD`.
 *
 * State: `momentum/NAME`.
 *
 * @throws UserLlmError `bad-hyper-parameter` when an option is out of its range or they do not go together.
 */
export function sgd(options: SgdOptions): Optimizer {
  const { learningRate, weightDecay = 0, nesterov = false, groups } = options;
  const rate = rateOf('sgd', learningRate);
  const momentum = checked('sgd: momentum', options.momentum ?? 0, notNegative);
  const dampening = checked('sgd: dampening', options.dampening ?? 0, { least: 0, most: 1 });
  const settingsOf = parameterSettings('sgd', weightDecay, groups);
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw new UserLlmError('bad-hyper-parameter', {
      what: 'sgd: nesterov',
      expected: 'a momentum above 0 and no dampening',
      got: `momentum ${momentum} and dampening ${dampening}`,
    });
  }
  return {
    name: 'sgd',
    init: (parameters) => (momentum === 0 ? {} : zeroState('momentum', parameters)),
    update: (gradients, state, parameters, step) => {
      const scalars = stepScalars(step, (taken, settings) => ({
        rate: negate(rate(taken, settings)),
        entering: where(equal(taken, 0), scalarOf(taken, 1), 1 - dampening),
      }));
      const steps = Object.keys(gradients).map((name) => {
        const parameter = named(parameters, name, 'the parameter');
        const settings = settingsOf(name);
        const { rate: downhill, entering } = scalars(parameter.dtype, settings);
        let slope = named(gradients, name, 'the gradient');
        if (settings.weightDecay !== 0) slope = add(slope, multiply(parameter, settings.weightDecay));
        if (momentum === 0) return { name, update: multiply(slope, downhill) };
        const kept = multiply(named(state, `momentum/${name}`, 'the state'), momentum);
        const buffer = add(kept, dampening === 0 ? slope : multiply(slope, entering));
        const direction = nesterov ? add(slope, multiply(buffer, momentum)) : buffer;
        return { name, update: multiply(direction, downhill), buffer };
      });
      return {
        updates: Object.fromEntries(steps.map(({ name, update }) => [name, update])),
        state: Object.fromEntries(steps.flatMap(({ name, buffer }) => (buffer ? [[`momentum/${name}`, buffer]] : []))),
      };
    },
  };
}

import { scalar } from '@user-llm/tensor';
import {
  add,
  constant,
  equal,
  multiply,
  where,
  type FloatScalar,
  type NamedTensors,
  type Optimizer,
} from '@user-llm/graph';
import { checked, count } from './hyper-parameter.js';
import { named, zeroState, zerosLike } from './named.js';
import { mapNamed } from './transformation.js';

const innerPrefix = 'inner/';

/** A count to start from. */
const zero = (): FloatScalar => constant(scalar('float32', 0));

/**
 * Steps once every so many micro-steps, on the mean of their gradients; all other updates are zeros.
 *
 * The optimizer within sees the count of its own steps and none of its state changes between them, so a schedule
 * counts true steps. Its graph is computed at every micro-step all the same; where that costs too much, run the
 * `gradients` graph of `trainStepGraphs` that many times, add its outputs up, and run `update` once on their mean.
 *
 * State: `sum/NAME`, `microStep`, `taken`, and that of the optimizer within as `inner/STATE`.
 *
 * @param microSteps How many gradients make a step.
 * @throws UserLlmError `bad-hyper-parameter` when `microSteps` is below 1.
 */
export function accumulate(optimizer: Optimizer, microSteps: number): Optimizer {
  checked('accumulate: microSteps', microSteps, count);
  return {
    name: 'accumulate',
    init: (parameters) => ({
      ...zeroState('sum', parameters),
      microStep: zero(),
      taken: zero(),
      ...Object.fromEntries(
        Object.entries(optimizer.init(parameters)).map(([name, tensor]) => [innerPrefix + name, tensor]),
      ),
    }),
    update: (gradients, state, parameters) => {
      const held = Object.entries(state).filter(([name]) => name.startsWith(innerPrefix));
      const inner: NamedTensors = Object.fromEntries(
        held.map(([name, tensor]) => [name.slice(innerPrefix.length), tensor]),
      );
      const taken = named(state, 'taken', 'the state') as FloatScalar;
      const microStep = add(named(state, 'microStep', 'the state') as FloatScalar, 1);
      const due = equal(microStep, microSteps);
      const sums = mapNamed(gradients, (slope, name) => add(named(state, `sum/${name}`, 'the state'), slope));
      const means = mapNamed(sums, (total) => multiply(total, 1 / microSteps));
      const result = optimizer.update(means, inner, parameters, taken);
      return {
        updates: mapNamed(result.updates, (update) => where(due, update, 0)),
        state: {
          ...Object.fromEntries(
            Object.entries(sums).map(([name, total]) => [`sum/${name}`, where(due, zerosLike(total), total)]),
          ),
          microStep: where(due, zero(), microStep),
          taken: where(due, add(taken, 1), taken),
          ...Object.fromEntries(
            Object.entries(inner).map(([name, old]) => [
              innerPrefix + name,
              where(due, result.state[name] ?? old, old),
            ]),
          ),
        },
      };
    },
  };
}

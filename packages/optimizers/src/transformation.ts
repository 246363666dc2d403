import type { Float, NamedTensors, Optimizer } from '@user-llm/graph';
import { named } from './named.js';

/**
 * A transformation without state that treats each gradient by itself.
 *
 * @param each Gets a gradient, its parameter and the parameter's name.
 */
export function stateless(
  name: string,
  each: (slope: Float, parameter: Float, parameterName: string) => Float,
): Optimizer {
  return {
    name,
    init: () => ({}),
    update: (gradients, _state, parameters) => ({
      updates: mapNamed(gradients, (slope, key) => each(slope, named(parameters, key, 'the parameter'), key)),
      state: {},
    }),
  };
}

/** Every tensor made into another, under its own name. */
export function mapNamed(tensors: NamedTensors, f: (tensor: Float, name: string) => Float): Record<string, Float> {
  return Object.fromEntries(Object.keys(tensors).map((name) => [name, f(named(tensors, name, 'the gradient'), name)]));
}

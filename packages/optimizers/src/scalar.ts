import { scalar, type DType } from '@user-llm/tensor';
import { add, cast, constant, divide, multiply, tanh, type FloatScalar } from '@user-llm/graph';
import type { ParameterSettings } from './parameter-group.js';

/** A known number, of the dtype of another. */
export function scalarOf(like: FloatScalar, value: number): FloatScalar {
  return constant(scalar(like.dtype, value));
}

/**
 * `(1 - decay^steps) / (1 - decay)`: the sum of the weights 1, decay, decay^2, ... of that many steps. It is what a
 * running sum is divided by to become a mean without bias.
 *
 * With `a = -steps ln(decay) / 2`, `1 - decay^steps = 2 tanh(a) / (1 + tanh(a))`: float32 keeps its precision where
 * `decay^steps` is near 1, as in the first steps of a decay of 0.999, while a power would lose two digits.
 *
 * @param steps From 1.
 */
export function geometricSum(steps: FloatScalar, decay: number): FloatScalar {
  if (decay === 0) return scalarOf(steps, 1);
  const half = tanh(multiply(steps, -Math.log(decay) / 2));
  return divide(multiply(half, 2 / (1 - decay)), add(half, 1));
}

/** Numbers of a step that the parameters of one dtype and group share. */
export type StepScalars<T> = (dtype: DType, settings?: ParameterSettings) => T;

/** Where there are no groups. */
const wholeModel: ParameterSettings = { learningRateFactor: 1, weightDecay: 0 };

/**
 * Makes numbers of a step once per dtype and group of parameters.
 *
 * @param step How many steps came before.
 * @param make Gets the step in the parameters' own dtype.
 */
export function stepScalars<T>(
  step: FloatScalar,
  make: (step: FloatScalar, settings: ParameterSettings) => T,
): StepScalars<T> {
  const made = new Map<ParameterSettings, Map<DType, T>>();
  return (dtype, settings = wholeModel) => {
    const byDType = made.get(settings) ?? new Map<DType, T>();
    made.set(settings, byDType);
    const known = byDType.get(dtype);
    if (known !== undefined) return known;
    const fresh = make(cast(step, dtype as 'float32'), settings);
    byDType.set(dtype, fresh);
    return fresh;
  };
}

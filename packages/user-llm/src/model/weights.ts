import { flattenParameters, initializeParameters } from '@user-llm/graph';
import { Random, UserLlmError, type Tensor } from '@user-llm/tensor';
import type { UserLlmModel } from '../compose/compose.js';

/** All parameters of a model by full name. */
export type Weights = Readonly<Record<string, Tensor<'float32'>>>;

/**
 * First values of all parameters of a model, out of a seed; some may be given, such as those of a checkpoint.
 *
 * @param given By full name (`llm.…`, `encoder.…`).
 * @throws UserLlmError `weights-mismatch` when a given one has no place or another shape.
 */
export function initialWeights(model: Pick<UserLlmModel, 'parameters'>, seed: number, given: Weights = {}): Weights {
  return checkedWeights(model, { ...initializeParameters(model.parameters, Random.fromSeed(seed)), ...given });
}

/**
 * Weights checked against a model's parameters.
 *
 * @returns Those weights, in the model's order.
 * @throws UserLlmError `weights-mismatch` when one is missing, too many, or has another shape or dtype.
 */
export function checkedWeights(
  model: Pick<UserLlmModel, 'parameters'>,
  weights: Weights | Readonly<Record<string, Tensor>>,
): Weights {
  const specs = flattenParameters(model.parameters);
  const unknown = Object.keys(weights).find((name) => !specs.has(name));
  if (unknown !== undefined) throw mismatch(unknown, 'no such parameter in this config', 'one');
  const checked = [...specs].map(([name, { shape }]) => {
    const weight = weights[name];
    if (!weight) throw mismatch(name, `float32[${shape.join(', ')}]`, 'nothing');
    if (weight.dtype !== 'float32' || `${weight.shape}` !== `${shape}`) {
      throw mismatch(name, `float32[${shape.join(', ')}]`, `${weight.dtype}[${weight.shape.join(', ')}]`);
    }
    return [name, weight as Tensor<'float32'>] as const;
  });
  return Object.fromEntries(checked);
}

function mismatch(name: string, expected: string, got: string): UserLlmError {
  return new UserLlmError('weights-mismatch', {
    what: `weight ${JSON.stringify(name)}`,
    expected,
    got,
    mend: 'Give the weights of a model of this config and these vocabularies.',
  });
}

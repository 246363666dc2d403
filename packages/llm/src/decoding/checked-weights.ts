import { flattenParameters, type ParameterTree } from '@user-llm/graph';
import { Tensor, UserLlmError } from '@user-llm/tensor';

/**
 * Weights under the names of a graph's inputs, as float32.
 *
 * @throws UserLlmError `missing-weight`, and `shape-mismatch` for a weight of another shape.
 */
export function checkedWeights(
  parameters: ParameterTree,
  weights: Readonly<Record<string, Tensor>>,
  prefix: string,
): Record<string, Tensor> {
  const named = [...flattenParameters(parameters)].map(([name, { axes, shape }]) => {
    const weight = weights[name];
    if (!weight)
      throw new UserLlmError('missing-weight', {
        what: `weight ${name}`,
        expected: `[${shape.join(', ')}]`,
        got: 'nothing',
        mend: 'Load the checkpoint of this model, with its config.',
      });
    if (weight.shape.join() !== shape.join())
      throw new UserLlmError('shape-mismatch', {
        what: `weight ${name}`,
        expected: `[${shape.join(', ')}]`,
        got: `[${weight.shape.join(', ')}]`,
        mend: 'Use the config that the checkpoint was made with.',
      });
    const { data } = weight.cast('float32').contiguous();
    return [prefix + name, new Tensor('float32', axes, shape, data) as Tensor] as const;
  });
  return Object.fromEntries(named);
}

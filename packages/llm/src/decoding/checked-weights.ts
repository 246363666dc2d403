import { flattenParameters, type ParameterTree } from '@user-llm/graph';
import { Tensor, UserLlmError } from '@user-llm/tensor';
import { QuantizedMatrix, type Weight } from '../quantization/quantized-matrix.js';

/**
 * Weights under the names of a graph's inputs, as float32.
 *
 * @param fewBits Whether matrices of few bits stay as they are.
 * @throws UserLlmError `missing-weight`, and `shape-mismatch` for a weight of another shape.
 */
export function checkedWeights(
  parameters: ParameterTree,
  weights: Readonly<Record<string, Weight>>,
  prefix: string,
  fewBits: boolean,
): Record<string, Weight> {
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
    if (weight instanceof QuantizedMatrix)
      return [prefix + name, fewBits ? weight : (weight.dequantize(axes as [string, string]) as Tensor)] as const;
    const { data } = weight.cast('float32').contiguous();
    return [prefix + name, new Tensor('float32', axes, shape, data) as Tensor] as const;
  });
  return Object.fromEntries(named);
}

import { flattenParameters, graph, input, multipliedInputs, parameterInputs, symbol } from '@user-llm/graph';
import type { LanguageModelModule } from '@user-llm/plugin';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import type { FamilyOptions } from '../checkpoints/hugging-face.js';
import type { LoadedLanguageModel } from '../checkpoints/loaded-language-model.js';
import { familyNamed } from '../families/known-families.js';
import { quantizationBlock, quantizeMatrix } from './quantize-matrix.js';
import { QuantizedMatrix, type Weight } from './quantized-matrix.js';

/**
 * A language model with its matrices in 4 or 8 bits: those that products read, if their rows are whole blocks of 32. The
 * output layer, which may be the embedding too, has 8 bits either way: with 4 much of the likelihood is
 * lost. Norms, biases and tables that are only looked up stay as they are.
 *
 * @throws UserLlmError `unknown-family`; `bad-argument` for a model without such a matrix.
 */
export function quantizeLanguageModel(
  model: LoadedLanguageModel,
  bits: 4 | 8,
  { families }: FamilyOptions = {},
): LoadedLanguageModel<Weight> {
  const family = familyNamed(model.family, families);
  const { config, weights } = family.checkpoints?.asHuggingFaceHasIt?.(model.config, model.weights) ?? model;
  const llm = family.build(config);
  return { ...model, config, weights: quantizeWeights(llm, weights, bits) };
}

/**
 * The weights of a decoder, by its own names, with the matrices that products read in 4 or 8 bits; as
 * `quantizeLanguageModel`, but for a decoder that runs in this process, whatever Hugging Face's code has.
 *
 * @throws UserLlmError `bad-argument` for a model without such a matrix.
 */
export function quantizeWeights(
  llm: LanguageModelModule,
  weights: Readonly<Record<string, Tensor>>,
  bits: 4 | 8,
): Readonly<Record<string, Weight>> {
  const multiplied = multipliedWeights(llm);
  const parameters = flattenParameters(llm.parameters);
  const quantized = Object.entries(weights).map(([name, weight]): readonly [string, Weight] => {
    if (!multiplied.has(name) || weight.shape[1]! % quantizationBlock !== 0) return [name, weight];
    const own = parameters.get(name)!.axes[0] === 'vocabulary' ? 8 : bits;
    return [name, quantizeMatrix(weight.cast('float32') as Tensor<'float32'>, own)];
  });
  if (!quantized.some(([, weight]) => weight instanceof QuantizedMatrix))
    throw new UserLlmError('bad-argument', {
      what: 'matrices of a language model',
      expected: `one at least with rows that are whole blocks of ${quantizationBlock} numbers`,
      got: 'none',
      mend: 'Take the model as it is: it is too narrow to gain by fewer bits.',
    });
  return Object.fromEntries(quantized);
}

/** Names of the parameters that are matrices of products. */
function multipliedWeights(llm: LanguageModelModule): Set<string> {
  const { tree, named } = parameterInputs(llm.parameters);
  const tokens = input('tokens', 'int32', ['batch', 'token'], [symbol('batch'), symbol('token')]);
  const logits = llm.apply(tree as never, { tokens });
  return multipliedInputs(graph([tokens, ...Object.values(named)], { logits }));
}

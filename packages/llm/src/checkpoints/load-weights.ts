import { flattenParameters } from '@user-llm/graph';
import { UserLlmError, openSafetensors, type Tensor } from '@user-llm/tensor';
import type { CheckpointFamily } from '../families/known-families.js';
import { parametersOf, storedShape, storedTensors } from './state-dict.js';

/** Tensors of old checkpoints that are computed, not learned: frequencies, and GPT-2's masks. */
const computed = /(rotary_emb\.inv_freq|\.attn\.(masked_)?bias)$/;

/** What stands before all names in checkpoints of models with an output layer, and is left out in those without. */
const baseModel = /^(model|transformer)\./;

/** Formats of real numbers; whole ones would be codes, which say nothing without their scales. */
const readable = ['F64', 'F32', 'F16', 'BF16'];

/**
 * The weights of a family's model from safetensors, cast to float32 and under our names. All names, shapes
 * and formats are checked before the first tensor is read.
 *
 * @param path A file, an index of shards, or a folder with either.
 * @throws UserLlmError `missing-weight`, `shape-mismatch`, `unsupported-dtype`, `unknown-weight`, and what
 *   `openSafetensors` throws.
 */
export async function loadWeights<Config>(
  path: string,
  family: CheckpointFamily<Config>,
  config: Config,
): Promise<Record<string, Tensor<'float32'>>> {
  const parameters = flattenParameters(family.build(config).parameters);
  const wanted = storedTensors(family.checkpoints.stateDict?.(config) ?? [], parameters);
  const source = await openSafetensors(path);
  try {
    const there = new Set(source.names);
    const nameOf = (name: string): string => (there.has(name) ? name : name.replace(baseModel, ''));
    const known = new Set(wanted.map(({ name }) => nameOf(name)));
    for (const stored of wanted) {
      const name = nameOf(stored.name);
      const shape = storedShape(stored, parameters);
      if (!there.has(name))
        throw problem('missing-weight', stored.name, `[${shape.join(', ')}]`, 'no such tensor in the checkpoint');
      const found = source.entry(name);
      if (found.shape.join() !== shape.join())
        throw problem(
          'shape-mismatch',
          name,
          `[${shape.join(', ')}], as config.json says`,
          `[${found.shape.join(', ')}]`,
        );
      if (!readable.includes(found.format))
        throw new UserLlmError('unsupported-dtype', {
          what: `weight ${name}`,
          expected: readable.join(', '),
          got: found.format,
          mend: 'Take a checkpoint of real numbers, or the GGUF file of the model.',
        });
    }
    const tied = (name: string): boolean => name === 'lm_head.weight' && !known.has(name);
    const foreign = source.names.find((name) => !known.has(name) && !computed.test(name) && !tied(name));
    if (foreign !== undefined)
      throw problem('unknown-weight', foreign, `tensors of a ${family.name} of this config alone`, 'another');
    const weights: Record<string, Tensor<'float32'>> = {};
    for (const stored of wanted) {
      const tensor = await source.read(nameOf(stored.name), { dtype: 'float32' });
      Object.assign(weights, Object.fromEntries(parametersOf(stored, tensor as Tensor<'float32'>, parameters)));
    }
    return weights;
  } finally {
    await source.close();
  }
}

function problem(code: string, name: string, expected: string, got: string): UserLlmError {
  return new UserLlmError(code, {
    what: `weight ${name}`,
    expected,
    got,
    mend: 'Use config.json and weights of one checkpoint.',
  });
}

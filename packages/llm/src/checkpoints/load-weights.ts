import { flattenParameters } from '@user-llm/graph';
import type { LanguageModel } from '@user-llm/plugin';
import { UserLlmError, openSafetensors, type Tensor } from '@user-llm/tensor';

/** Tensors of old checkpoints that are computed, not learned. */
const computed = /rotary_emb\.inv_freq$/;

/**
 * The weights of a family's model from safetensors, cast to float32 and under our names. All names and shapes are
 * checked before the first tensor is read.
 *
 * @param path A file, an index of shards, or a folder with either.
 * @throws UserLlmError `missing-weight`, `shape-mismatch`, `unknown-weight`, and what `openSafetensors` throws.
 */
export async function loadWeights<Config>(
  path: string,
  family: LanguageModel<Config>,
  config: Config,
): Promise<Record<string, Tensor<'float32'>>> {
  const parameters = flattenParameters(family.build(config).parameters);
  const names = family.checkpointNames(config);
  const source = await openSafetensors(path);
  try {
    const there = new Set(source.names);
    const known = new Set<string>();
    for (const [name, { shape }] of parameters) {
      const stored = names[name] ?? name;
      known.add(stored);
      if (!there.has(stored))
        throw problem('missing-weight', stored, `[${shape.join(', ')}]`, 'no such tensor in the checkpoint');
      const found = source.entry(stored).shape;
      if (found.join() !== shape.join())
        throw problem('shape-mismatch', stored, `[${shape.join(', ')}], as config.json says`, `[${found.join(', ')}]`);
    }
    const tied = (name: string): boolean => name === 'lm_head.weight' && !known.has(name);
    const foreign = source.names.find((name) => !known.has(name) && !computed.test(name) && !tied(name));
    if (foreign !== undefined)
      throw problem('unknown-weight', foreign, `tensors of a ${family.name} of this config alone`, 'another');
    const weights: Record<string, Tensor<'float32'>> = {};
    for (const [name, { axes }] of parameters)
      weights[name] = await source.read(names[name] ?? name, { axes, dtype: 'float32' });
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

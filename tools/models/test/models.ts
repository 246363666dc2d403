import { fileURLToPath } from 'node:url';
import {
  graph,
  input,
  matmulTransposed,
  parameterInputs,
  sparseCrossEntropy,
  type FloatScalar,
  type NamedTensors,
  type Symbolic,
} from '@user-llm/graph';
import { SafetensorsFile, type Id, type Tensor } from '@user-llm/tensor';
import { encoder, gpt2, ignored, llama, nextItemLoss } from '../src/index.js';

const [batch, tokens, vocabulary] = [3, 7, 61];

/** A model as the tests see it. */
export interface Built {
  readonly inputs: readonly Symbolic[];
  readonly parameters: NamedTensors;
  readonly logits: Symbolic;
  readonly loss: FloatScalar;
}

/** A model of a golden file. */
export interface TestedModel {
  readonly name: 'llama' | 'gpt2' | 'encoder';
  build(): Built;
  /**
   * Parts of parameters whose true gradient is zero, since a softmax does not see what is added to all keys alike:
   * what Adam makes of them is rounding alone. By name, the first element and the one after the last.
   */
  readonly withoutGradient: Readonly<Record<string, readonly [number, number]>>;
}

const labelled = () => input('labels', 'int32', ['batch', 'token'], [batch, tokens]);
const sizes = { width: 32, layers: 2, heads: 4, epsilon: 1e-5, deviation: 0.02 };
const keyBias = (name: (layer: number) => string) =>
  Object.fromEntries([0, 1].map((layer) => [name(layer), [32, 64] as const]));

function languageModel(model: ReturnType<typeof llama> | ReturnType<typeof gpt2>): Built {
  const { tree, named } = parameterInputs(model.parameters);
  const ids = input('ids', 'int32' as Id<'vocabulary'>, ['batch', 'token'], [batch, tokens]);
  const labels = labelled();
  const logits = model.apply(tree as never, ids);
  const loss = sparseCrossEntropy<readonly ['batch', 'token'], 'vocabulary'>(logits, labels, { ignore: ignored });
  return { inputs: [ids, labels, ...Object.values(named)], parameters: named, logits, loss };
}

/** The models that have golden files, of their sizes. */
export const testedModels: readonly TestedModel[] = [
  {
    name: 'llama',
    build: () => languageModel(llama({ ...sizes, vocabulary, keyValueHeads: 2, feedForward: 64, rotaryBase: 10_000 })),
    withoutGradient: {},
  },
  {
    name: 'gpt2',
    build: () => languageModel(gpt2({ ...sizes, vocabulary, positions: 16 })),
    withoutGradient: keyBias((layer) => `transformer.h.${layer}.attn.c_attn.bias`),
  },
  {
    name: 'encoder',
    build: () => {
      const model = encoder({ ...sizes, items: vocabulary, feedForward: 64, positions: tokens, activation: 'gelu' });
      const { tree, named } = parameterInputs(model.parameters);
      const ids = input('ids', 'int32' as Id<'item'>, ['batch', 'event'], [batch, tokens]);
      const labels = input('labels', 'int32', ['batch', 'event'], [batch, tokens]);
      const events = model.apply(tree, ids);
      const logits = matmulTransposed(events, tree.items.weight);
      // In pieces, the last of them shorter.
      const loss = nextItemLoss(tree, events, labels, 8);
      return { inputs: [ids, labels, ...Object.values(named)], parameters: named, logits, loss };
    },
    withoutGradient: keyBias((layer) => `encoder.layers.${layer}.self_attn.in_proj_bias`),
  },
];

/** The tensors of a golden file by name; those of parameters have the axes of the model's. */
export async function goldens(name: string, inputs: readonly Symbolic[]): Promise<Record<string, Tensor>> {
  const axes = new Map(Object.entries(graph(inputs, {}).inputs).map(([key, tensor]) => [key, tensor.axes]));
  const file = await SafetensorsFile.open(fileURLToPath(new URL(`goldens/${name}.safetensors`, import.meta.url)));
  const read = file.names.map(async (key) => {
    const named = axes.get(key.replace(/^(initial|gradient|trained)\//, ''));
    return [key, (await file.read(key, named ? { axes: named } : {})) as Tensor] as const;
  });
  const tensors = Object.fromEntries(await Promise.all(read));
  await file.close();
  return tensors;
}

/** The distance of an array from the expected one as a share of the latter's norm, no smaller than 1e-3. */
export function distance(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Infinity;
  const difference = Math.hypot(...Array.from(got, (value, at) => value - expected[at]!));
  return difference / Math.max(1e-3, Math.hypot(...Array.from(expected)));
}

import { fileURLToPath } from 'node:url';
import { differentiate, evaluate, graph, parameterInputs, where, type Float } from '@user-llm/graph';
import type { EncoderInputs, UserEncoderModule } from '@user-llm/plugin';
import { SafetensorsFile, type Tensor } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { autoregressiveEncoder, bert4rec, dualEncoder } from '../src/index.js';
import { asReference, batchInputs, build, genres, items, ratings } from './support.js';

const features = [items, genres, ratings];
const sizes = { width: 8, layers: 2, heads: 2, feedForward: 16, featureWidth: 4, maximumEvents: 6, dropout: 0 };
const known: EncoderInputs = { features, item: 'item' };

/** The models of the golden files; `from` are tensors of the file. */
const models: Readonly<Record<string, (from: Readonly<Record<string, Tensor>>) => UserEncoderModule>> = {
  autoregressive: () =>
    build(autoregressiveEncoder, { ...sizes, predict: { item: 1, rating: 0.5, genre: 0.25 } }, known),
  // The last event of each history is hidden, so that no number is drawn.
  bert4rec: () => build(bert4rec, { ...sizes, activation: 'relu', lastShare: 1 }, known),
  dual: ({ genres: ids }) =>
    build(
      dualEncoder,
      { ...sizes, itemHidden: 10, similarity: 'cosine', temperature: 0.5 },
      { ...known, itemFeatures: { genre: ids as never } },
    ),
};

async function golden(name: string): Promise<Record<string, Tensor>> {
  const file = await SafetensorsFile.open(fileURLToPath(new URL(`goldens/${name}.safetensors`, import.meta.url)));
  const axes = { genres: ['id', 'slot'] } as Readonly<Record<string, readonly string[]>>;
  const read = file.names.map(
    async (key) => [key, (await file.read(key, axes[key] ? { axes: axes[key] } : {})) as unknown as Tensor] as const,
  );
  const tensors = Object.fromEntries(await Promise.all(read));
  await file.close();
  return tensors;
}

/** The largest difference as a share of the largest number expected, or absolute below 1. */
function difference(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Infinity;
  const wanted = Array.from(expected);
  return Math.max(...wanted.map((value, at) => Math.abs(value - got[at]!))) / Math.max(1, ...wanted.map(Math.abs));
}

describe.each(Object.keys(models))('%s', (name) => {
  it("gives PyTorch's embeddings, scores, loss and gradients", async () => {
    const expected = await golden(name);
    const module = models[name]!(expected);
    const batch = batchInputs(features, 3, 6);
    const { tree, named } = parameterInputs(module.parameters);
    const encoded = module.apply(tree as never, { features: batch.features, mask: batch.mask } as never);
    const next = module.nextItem(tree as never, { features: batch.features, mask: batch.mask });
    const loss = module.loss(tree as never, { features: batch.features, labels: batch.labels, mask: batch.mask });
    const { gradients } = differentiate(loss, named);
    const events = name === 'bert4rec' ? where(encoded.mask, encoded.events as Float, 0) : encoded.events;
    const program = graph([...batch.all, ...Object.values(named)], {
      events,
      next,
      loss,
      ...Object.fromEntries(Object.entries(gradients).map(([key, slope]) => [`gradient/${key}`, slope])),
    });
    const initial = Object.keys(named).map((key) => [key, expected[`initial/${key}`]!] as const);
    const listed = Object.keys(expected).flatMap((key) => (key.startsWith('initial/') ? [key.slice(8)] : []));
    expect(Object.keys(named).sort()).toEqual(listed.sort());
    const columns = Object.keys(batch.features).flatMap((key) => [key, `label/${key}`]);
    const feeds = asReference({
      ...Object.fromEntries(initial),
      ...Object.fromEntries([...columns, 'mask'].map((key) => [key, expected[key]!])),
    });
    const got = evaluate(program, { ...feeds, seed: { dtype: 'int32', shape: [], data: new Float64Array(1) } });
    expect(Object.keys(got)).toHaveLength(Object.keys(named).length + 3);
    for (const [key, { data }] of Object.entries(got)) {
      expect(difference(data, expected[key]!.toArray() as number[]), key).toBeLessThan(2e-6);
    }
  });
});

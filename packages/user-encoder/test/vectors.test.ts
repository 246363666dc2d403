import { differentiate, evaluate, graph, input, parameterInputs, symbol } from '@user-llm/graph';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Random, Tensor } from '@user-llm/tensor';
import { expect, it } from 'vitest';
import { autoregressiveEncoder, dualEncoder } from '../src/index.js';
import { asReference, batchInputs, build, firstValues, items, randomBatch } from './support.js';

const small = { width: 8, layers: 1, heads: 2, dropout: 0, maximumEvents: 4 };
const numbers = Random.fromSeed(2).normal(new Float32Array(items.size * 5));
// Item 11 was never seen, and has the text of item 4.
numbers.copyWithin(11 * 5, 4 * 5, 5 * 5);
const vectors = { item: new Tensor('float32', ['id', 'vectorWidth'] as const, [items.size, 5] as const, numbers) };
const known = { features: [items], item: 'item', vectors };

it.each([autoregressiveEncoder, dualEncoder])('an item never seen is its text: $name', (encoder) => {
  const module = build(encoder, small, known);
  const batch = batchInputs([items], 1, 4);
  const { tree, named } = parameterInputs(module.parameters);
  const next = module.nextItem(tree as never, { features: batch.features, mask: batch.mask });
  const program = graph([...batch.all, ...Object.values(named)], { next });
  const { data } = evaluate(program, asReference({ ...randomBatch([items], [3], 4, 1), ...firstValues(module) }))[
    'next'
  ]!;
  expect(data[11]).toBe(data[4]);
  expect(data[11]).not.toBe(data[5]);
});

it('the map of vectors learns unless it is frozen', () => {
  const slopes = ['trainable', 'frozen'].map((vectorProjection) => {
    const module = build(autoregressiveEncoder, { ...small, vectorProjection }, known);
    const batch = batchInputs([items], 1, 4);
    const { tree, named } = parameterInputs(module.parameters);
    const { features, labels, mask } = batch;
    const name = 'features.item.vectors.weight';
    const { gradients } = differentiate(module.loss(tree as never, { features, labels, mask }), {
      [name]: named[name]!,
    });
    const program = graph([...batch.all, ...Object.values(named)], { slope: gradients[name]! });
    return evaluate(program, asReference({ ...randomBatch([items], [3], 4, 1), ...firstValues(module) }))['slope']!
      .data;
  });
  expect(slopes[0]!.some((slope) => slope !== 0)).toBe(true);
  expect(slopes[1]!.every((slope) => slope === 0)).toBe(true);
});

it('sizes may be left open until a graph runs, and a user with no events likes all items alike', async () => {
  const module = build(autoregressiveEncoder, small, { features: [items], item: 'item' });
  const { tree, named } = parameterInputs(module.parameters);
  const item = input('item', 'int32', ['batch', 'event'], [symbol('batch'), symbol('event')]);
  const mask = input('mask', 'bool', ['batch', 'event'], [symbol('batch'), symbol('event')]);
  const next = module.nextItem(tree as never, { features: { item }, mask });
  const runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  const program = await runtime.compile(graph([item, mask, ...Object.values(named)], { next }));
  const fixed = batchInputs([items], 3, 4);
  const same = module.nextItem(tree as never, { features: fixed.features, mask: fixed.mask });
  const parameters = firstValues(module);
  const feeds = randomBatch([items], [4, 1, 0], 4, 1);
  const { item: ids, mask: there } = feeds as Record<'item' | 'mask', Tensor>;
  const results = await program.run({ item: ids, mask: there, ...parameters });
  const got = (await results['next']!.read()).toArray() as number[];
  const expected = evaluate(
    graph([...fixed.all, ...Object.values(named)], { same }),
    asReference({ ...feeds, ...parameters }),
  );
  got.forEach((score, at) => expect(score).toBeCloseTo(expected['same']!.data[at]!, 5));
  expect(new Set(got.slice(2 * items.size)).size).toBe(1);
  await program.dispose();
  await runtime.dispose();
});

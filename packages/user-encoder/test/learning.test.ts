import { graph, parameterInputs } from '@user-llm/graph';
import type { EncodedFeature } from '@user-llm/plugin';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Random, Tensor } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { autoregressiveEncoder, bert4rec, dualEncoder } from '../src/index.js';
import { batchInputs, build, type AnyEncoder } from './support.js';
import { training } from './training.js';

const values = 20;
const item: EncodedFeature = { name: 'item', size: 3 + values, slots: 1 };
const [rows, events] = [24, 12];

/** A planted chain: from value v on to 7v + 3, or now and then to any other. */
function chain(seed: number): Record<string, Tensor> {
  const random = Random.fromSeed(seed).uniform(new Float64Array(rows * (events + 1) * 2));
  const mask = new Uint8Array(rows * events);
  const ids = new Int32Array(rows * events);
  const labels = new Int32Array(rows * events);
  for (let row = 0; row < rows; row++) {
    const length = 4 + (row % (events - 3));
    let value = Math.floor(random[row * 2]! * values);
    for (let at = 0; at < length; at++) {
      const noise = random[(row * (events + 1) + at) * 2 + 1]!;
      const next = noise < 0.1 ? Math.floor(noise * 10 * values) : (7 * value + 3) % values;
      mask[row * events + at] = 1;
      ids[row * events + at] = 3 + value;
      labels[row * events + at] = 3 + next;
      value = next;
    }
  }
  const typed = (data: Int32Array) =>
    new Tensor('int32', ['batch', 'event'], [rows, events], data) as unknown as Tensor;
  return {
    item: typed(ids),
    'label/item': typed(labels),
    mask: new Tensor('bool', ['batch', 'event'], [rows, events], mask) as unknown as Tensor,
  };
}

const rowsOf = (tensor: Tensor, width: number): number[][] => {
  const all = tensor.toArray() as number[];
  return Array.from({ length: all.length / width }, (_, row) => all.slice(row * width, (row + 1) * width));
};

const small = { width: 32, layers: 1, heads: 2, feedForward: 32, dropout: 0, maximumEvents: events };
type Case = readonly [string, AnyEncoder, Record<string, unknown>, number];
const cases: readonly Case[] = [
  ['autoregressive', autoregressiveEncoder, { ...small, dropout: 0.1 }, 400],
  [
    'autoregressive by a sampled softmax',
    autoregressiveEncoder,
    { ...small, loss: 'sampled-softmax', negatives: 10 },
    300,
  ],
  ['autoregressive by gBCE', autoregressiveEncoder, { ...small, loss: 'gbce', negatives: 10, tied: false }, 250],
  [
    'autoregressive with rotary positions',
    autoregressiveEncoder,
    { ...small, positions: 'rotary', activation: 'swiglu' },
    150,
  ],
  ['dual', dualEncoder, small, 200],
  ['dual by cosine', dualEncoder, { ...small, similarity: 'cosine', temperature: 0.1 }, 200],
  ['bert4rec', bert4rec, { ...small, positions: 'rotary', maskProbability: 0.3, lastShare: 0.5 }, 800],
];

describe.each(cases)('%s', (_, encoder, config, steps) => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  });
  afterAll(() => runtime.dispose());

  it('learns a planted chain', async () => {
    const module = build(encoder, config, { features: [item], item: 'item' });
    const trained = await training(runtime, module, [item], [rows, events], 5e-3);
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) losses.push(await trained.step(chain(100 + step), step));
    const mean = (part: readonly number[]) => part.reduce((x, y) => x + y) / part.length;
    expect(mean(losses.slice(-10))).toBeLessThan(0.8 * mean(losses.slice(0, 10)));

    const batch = batchInputs([item], rows, events);
    const { tree, named } = parameterInputs(module.parameters);
    const { features, mask } = batch;
    const next = module.nextItem(tree as never, { features, mask });
    const program = await runtime.compile(graph([features['item']!, mask, ...Object.values(named)], { next }));
    const asked = chain(7);
    const { item: ids, mask: there } = asked as Record<'item' | 'mask', Tensor>;
    const results = await program.run({ item: ids, mask: there, ...(await trained.parameters()) });
    const scores = rowsOf(await results['next']!.read(), item.size);
    expect(scores).toHaveLength(rows);
    const histories = rowsOf(ids, events);
    const right = scores.filter((row, at) => {
      const last = histories[at]!.filter((id) => id > 0).at(-1)! - 3;
      // Sampled losses say nothing of the reserved ids.
      const known = row.slice(3);
      return known.indexOf(Math.max(...known)) === (7 * last + 3) % values;
    });
    expect(right.length / rows).toBeGreaterThan(0.8);
    await program.dispose();
    await trained.dispose();
  });
});

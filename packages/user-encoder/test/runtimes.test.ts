import type { Runtime } from '@user-llm/graph';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { TfjsRuntime } from '@user-llm/runtime-tfjs';
import type { Tensor } from '@user-llm/tensor';
import { expect, it } from 'vitest';
import { autoregressiveEncoder, bert4rec, dualEncoder } from '../src/index.js';
import { build, genres, items, randomBatch, ratings, type AnyEncoder } from './support.js';
import { training } from './training.js';

const features = [items, genres, ratings];
const small = { width: 8, layers: 2, heads: 2, feedForward: 16, dropout: 0.2, maximumEvents: 5, deviation: 0.3 };

async function oneStep(runtime: Runtime, encoder: AnyEncoder, config: Record<string, unknown>) {
  const module = build(encoder, config, { features, item: 'item' });
  const trained = await training(runtime, module, features, [3, 5], 1e-2);
  const feeds = randomBatch(features, [5, 2, 4], 5, 3);
  const loss = await trained.step(feeds, 11);
  const parameters = await trained.parameters();
  await trained.dispose();
  await runtime.dispose();
  return { loss, parameters };
}

const numbers = (tensor: Tensor): number[] => tensor.toArray() as number[];

it.each([
  ['autoregressive', autoregressiveEncoder, { ...small, predict: { item: 1, genre: 0.5 } }],
  ['autoregressive, sampled', autoregressiveEncoder, { ...small, loss: 'sampled-softmax', negatives: 6 }],
  ['dual', dualEncoder, { ...small, candidates: 6 }],
  ['bert4rec', bert4rec, { ...small, maskProbability: 0.4 }],
] as readonly (readonly [string, AnyEncoder, Record<string, unknown>])[])(
  'both runtimes take the same step: %s',
  async (_, encoder, config) => {
    const onnx = await oneStep(await OnnxRuntime.create(), encoder, config);
    const tfjs = await oneStep(await TfjsRuntime.create({ engine: 'wasm', threads: 1 }), encoder, config);
    expect(tfjs.loss).toBeCloseTo(onnx.loss, 4);
    let moved = 0;
    for (const [name, tensor] of Object.entries(onnx.parameters)) {
      const others = numbers(tfjs.parameters[name]!);
      // Adam's first step is the sign of a gradient: where that is rounding alone, signs may differ.
      const apart = numbers(tensor).filter((value, at) => Math.abs(value - others[at]!) > 1e-3);
      moved += apart.length;
    }
    expect(moved).toBeLessThan(12);
  },
  60_000,
);

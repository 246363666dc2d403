import { graph, input, parameterInputs, type NamedTensors, type Symbolic } from '@user-llm/graph';
import type { UserEncoderModule } from '@user-llm/plugin';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Tensor, zeros } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { autoregressiveEncoder, bert4rec, dualEncoder } from '../src/index.js';
import { batchInputs, build, firstValues, genres, items, randomBatch, ratings } from './support.js';

const features = [items, genres, ratings];
const known = { features, item: 'item' };
const events = 7;
const lengths = [7, 3, 5];
const batch = lengths.length;
const sizes = { width: 32, layers: 2, heads: 2, maximumEvents: events, dropout: 0, deviation: 0.3 };

const modules: Readonly<Record<string, () => UserEncoderModule>> = {
  'autoregressive, learned positions': () => build(autoregressiveEncoder, sizes, known),
  'autoregressive, rotary positions': () => build(autoregressiveEncoder, { ...sizes, positions: 'rotary' }, known),
  'autoregressive, odd head size': () =>
    build(autoregressiveEncoder, { ...sizes, width: 20, positions: 'none' }, known),
  'dual, Transformer': () => build(dualEncoder, sizes, known),
  'dual, mean': () => build(dualEncoder, { ...sizes, tower: 'mean' }, known),
};

describe.each(Object.keys(modules))('%s', (name) => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  });
  afterAll(() => runtime.dispose());

  it('appended one by one, events have the embeddings of the whole history', async () => {
    const module = modules[name]!();
    const { userWidth } = module;
    const parameters = firstValues(module);
    const feeds = randomBatch(features, lengths, events, 9);
    const { tree, named } = parameterInputs(module.parameters);
    const whole = batchInputs(features, batch, events);
    const full = await runtime.compile(
      graph([...Object.values(whole.features), whole.mask, ...Object.values(named)], {
        events: module.apply(tree as never, { features: whole.features, mask: whole.mask } as never).events,
      }),
    );
    const columns = Object.fromEntries(
      [...features.map((feature) => feature.name), 'mask'].map((key) => [key, feeds[key]!]),
    );
    const expected = await (await full.run({ ...columns, ...parameters }))['events']!.read();

    const appender = module.appender!;
    const one = batchInputs(features, batch, 1).features;
    const count = input('count', 'int32', ['batch'], [batch]);
    const state: NamedTensors = Object.fromEntries(
      Object.entries(appender.state).map(([key, { axes, shape }]) => [
        key,
        input(key, 'float32', ['batch', ...axes], [batch, ...shape] as never) as Symbolic,
      ]),
    );
    const grown = appender.append(tree as never, { features: one, lengths: count, state });
    expect(Object.keys(grown.state)).toEqual(Object.keys(appender.state));
    const step = await runtime.compile(
      graph([...Object.values(one), count, ...Object.values(state), ...Object.values(named)], {
        events: grown.events,
        ...Object.fromEntries(Object.entries(grown.state).map(([key, value]) => [`next/${key}`, value])),
      }),
    );
    let held: Record<string, Tensor> = Object.fromEntries(
      Object.entries(state).map(([key, { axes, shape }]) => [
        key,
        zeros('float32', axes, shape as number[]) as unknown as Tensor,
      ]),
    );
    for (let at = 0; at < events; at++) {
      const now = Object.fromEntries(
        features.map(({ name: key, slots }) => {
          const ids = new Int32Array(batch * slots);
          const from = feeds[key]!.toArray() as number[];
          for (let row = 0; row < batch; row++)
            for (let slot = 0; slot < slots; slot++)
              ids[row * slots + slot] = from[(row * events + at) * slots + slot]!;
          const axes = slots === 1 ? ['batch', 'event'] : ['batch', 'event', 'slot'];
          return [
            key,
            new Tensor('int32', axes, slots === 1 ? [batch, 1] : [batch, 1, slots], ids) as unknown as Tensor,
          ];
        }),
      );
      const before = new Tensor('int32', ['batch'], [batch], new Int32Array(batch).fill(at)) as unknown as Tensor;
      const results = await step.run({ ...now, count: before, ...held, ...parameters });
      const got = (await results['events']!.read()).toArray() as number[];
      const wanted = expected.toArray() as number[];
      lengths.forEach((length, row) => {
        if (at >= length) return;
        for (let column = 0; column < userWidth; column++) {
          const difference = got[row * userWidth + column]! - wanted[(row * events + at) * userWidth + column]!;
          expect(Math.abs(difference)).toBeLessThan(1e-5);
        }
      });
      held = Object.fromEntries(
        await Promise.all(Object.keys(state).map(async (key) => [key, await results[`next/${key}`]!.read()] as const)),
      );
    }
    await step.dispose();
    await full.dispose();
  });
});

it('a bidirectional encoder has no appender', () => {
  expect(build(bert4rec, sizes, known).appender).toBeUndefined();
});

import { decodeSafetensors, encodeSafetensors, maxDifference, Tensor } from '@user-llm/tensor';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import type { UserState } from '@user-llm/plugin';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UserLlm } from '../src/index.js';
import { history, smallConfig, smallModel } from './world.js';

let runtime: OnnxRuntime;
let model: UserLlm;
beforeAll(async () => {
  runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  model = await smallModel({ runtime });
});
afterAll(async () => {
  await model.dispose();
  await runtime.dispose();
});

const items = [0, 1, 2, 3, 4, 5, 6, 7, 2, 4];
const all = (count: number) => history('u', items.slice(0, count));

function distance(a: UserState, b: UserState): number {
  const [left, right] = [decodeSafetensors(a.state), decodeSafetensors(b.state)];
  expect([...left.tensors.keys()].sort()).toEqual([...right.tensors.keys()].sort());
  expect([...left.metadata]).toEqual([...right.metadata]);
  return Math.max(...[...left.tensors].map(([name, tensor]) => maxDifference(tensor, right.tensors.get(name)!)));
}

describe('states of users', () => {
  it.each([
    [1, 1],
    [2, 3],
    [5, 1],
    [0, 4],
    [5, 3],
    [6, 1],
    [6, 4],
    [0, 10],
  ])(
    '%i events and then %i are as all at once, also beyond the maximum of 6',
    async (before, after) => {
      const events = all(before + after);
      const appended = await model.append(await model.encode(events.slice(0, before)), events.slice(before));
      const whole = await model.encode(events);
      expect(appended.watermark).toBe(before + after);
      expect(distance(appended, whole)).toBeLessThan(1e-5);
    },
    60_000,
  );

  it('append events one by one, and from states that keep less', async () => {
    let state = await model.encode([]);
    for (const event of all(8)) state = await model.append(state, [event]);
    expect(distance(state, await model.encode(all(8)))).toBeLessThan(1e-5);
    const thin = await model.encode(all(3), { appendable: false });
    const full = await model.encode(all(3));
    expect(thin.state.length).toBeLessThan(full.state.length);
    expect(distance(await model.append(thin, all(5).slice(3)), await model.encode(all(5)))).toBeLessThan(1e-5);
  }, 60_000);

  it('give the same context as their events, and as beside other users', async () => {
    const users = [all(3), all(10), all(1), []];
    const together = await model.contexts(users);
    for (const [row, events] of users.entries()) {
      const [fromState, fromEvents] = [await model.context(await model.encode(events)), await model.context(events)];
      for (const [name, tensor] of Object.entries(fromState)) {
        expect(maxDifference(tensor.cast('float32'), fromEvents[name]!.cast('float32')), name).toBeLessThan(1e-5);
        const own = together[name]!.slice('batch', row, row + 1).cast('float32');
        expect(maxDifference(tensor.cast('float32') as Tensor, own as Tensor), name).toBeLessThan(1e-5);
      }
    }
  }, 60_000);

  it('score the catalogue as their events do', async () => {
    const [fromEvents, fromState] = await model.itemScores([all(4), await model.encode(all(4))]);
    expect(fromEvents).toHaveLength(8);
    fromEvents!.forEach((score, at) => expect(score).toBeCloseTo(fromState![at]!, 4));
    const ranked = await model.recommend(all(4), 3, { exclude: ['m1'] });
    const best = [...fromEvents!].map((score, at) => ({ score, at })).filter(({ at }) => at !== 1);
    best.sort((a, b) => b.score - a.score);
    expect(ranked.map(({ item }) => item)).toEqual(best.slice(0, 3).map(({ at }) => `m${at}`));
  }, 60_000);

  it.each([
    [0, {}],
    [-1, {}],
    [1.5, {}],
    [NaN, {}],
    [NaN, { by: 'llm' }],
    [3, { by: 'banana' }],
  ])('rank %s items by %j only where that means something', async (count, options) => {
    await expect(model.recommend(all(2), count, options as never)).rejects.toMatchObject({ code: 'bad-argument' });
  });

  it('of encoders that read both ways are encoded again', async () => {
    const both = await smallModel({
      runtime,
      config: smallConfig({
        encoder: { name: 'bert4rec', config: { width: 8, layers: 1, heads: 2, maximumEvents: 6, featureWidth: 4 } },
      }),
    });
    const appended = await both.append(await both.encode(all(4)), all(7).slice(4));
    expect(distance(appended, await both.encode(all(7)))).toBeLessThan(1e-5);
    expect(await both.itemScores([appended])).toHaveLength(1);
    await both.dispose();
  }, 60_000);
});

describe('states that do not fit', () => {
  it('are refused', async () => {
    const other = await smallModel({ runtime, weights: { seed: 4 } });
    const state = await model.encode(all(3));
    await expect(other.append(state, all(4).slice(3))).rejects.toMatchObject({ code: 'encoder-mismatch' });
    await expect(other.context(state)).rejects.toMatchObject({ code: 'encoder-mismatch' });
    const cut = { ...state, state: state.state.subarray(0, 50) };
    await expect(model.context(cut)).rejects.toMatchObject({ code: 'bad-user-state' });
    await expect(model.context({ ...state, watermark: 7 })).rejects.toMatchObject({ code: 'bad-user-state' });
  }, 60_000);

  it.each([
    ['embeddings', new Tensor('float32', ['event', 'userWidth'], [3, 5]), 'got float32[3, 5]'],
    ['embeddings', new Tensor('float32', ['event', 'userWidth'], [9, 8]), 'at most 6'],
    ['ids.item', new Tensor('int32', ['event', 'slot'], [3, 1], Int32Array.of(3, 99, 4)), 'got 99'],
    ['ids.rating', new Tensor('int32', ['event', 'slot'], [3, 1], Int32Array.of(3, -1, 4)), 'got -1'],
    ['kept', undefined, 'expected float32'],
  ])(
    'nor are those whose %s do not fit (%#)',
    async (name, given, said) => {
      const state = await model.encode(all(3));
      const { tensors, metadata } = decodeSafetensors(state.state);
      const changed = [...tensors].map(([own, tensor]) => {
        if (own === name) return [own, given] as const;
        const cut = name === 'kept' && own.startsWith('kept.') ? tensor.slice('axis0', 0, 0).contiguous() : tensor;
        return [own, cut] as const;
      });
      const bytes = await encodeSafetensors(
        Object.fromEntries(changed) as unknown as Record<string, Tensor>,
        Object.fromEntries(metadata),
      );
      const asked = model.append({ ...state, state: bytes }, all(4).slice(3));
      await expect(asked).rejects.toMatchObject({ code: 'bad-user-state' });
      await expect(asked).rejects.toThrow(said);
    },
    60_000,
  );

  it('events of the past, of others, without a time', async () => {
    const state = await model.encode(all(3));
    await expect(model.append(state, history('u', [1], -5))).rejects.toMatchObject({ code: 'events-out-of-order' });
    await expect(model.encode([...all(2), ...history('v', [1])])).rejects.toMatchObject({ code: 'several-users' });
    const timeless = { user: 'u', item: 'm1', time: NaN };
    await expect(model.encode([timeless])).rejects.toMatchObject({ code: 'bad-event' });
  }, 60_000);

  it.each([
    [[null]],
    [[{ user: 'u', time: 1 }]],
    [[{ item: 'm1', time: 1 }]],
    [[...all(2), 'm1']],
    [undefined],
    ['m1'],
  ])('what is no history: %j', async (events) => {
    await expect(model.encode(events as never)).rejects.toMatchObject({ code: 'bad-event' });
  });
});

import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Tensor, UserLlmError } from '@user-llm/tensor';
import { graph, input, parameterInputs, symbol } from '@user-llm/graph';
import { describe, expect, it } from 'vitest';
import { perceiverResampler } from '../src/index.js';
import { built, compress, difference, golden, initialize, maskOf, random, userWidth } from './support.js';

const events = random(['batch', 'event', 'userWidth'], [3, 5, userWidth], 7);
const mask = maskOf([5, 2, 0], 5);

describe('a resampler', () => {
  const like = { latents: 3, heads: 2, width: 6, feedForward: 10, recency: 2 };

  it.each([
    ['resampler', true],
    ['resampler-of-events', false],
  ])("has the latents and every gradient of PyTorch's (%s)", async (file, readLatents) => {
    const module = built(perceiverResampler, { ...like, readLatents });
    const { out, events, mask, weights, ...rest } = await golden(file, module);
    const parameters = Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith('gradient/')));
    expect(Object.keys(parameters).sort()).toEqual(Object.keys(initialize(module)).sort());
    const got = compress(module, events!, mask!, parameters, weights!);
    expect(difference(got.latents, out!.toArray() as number[])).toBeLessThan(1e-7);
    expect(Object.keys(got.gradients)).toHaveLength(Object.keys(parameters).length + 1);
    for (const [name, slope] of Object.entries(got.gradients)) {
      expect(difference(slope, rest[name]!.toArray() as number[]), name).toBeLessThan(1e-6);
    }
  });

  it('gives what it gives by the reference also on ONNX Runtime, for any numbers of users and events', async () => {
    const module = built(perceiverResampler, like);
    const shape = [symbol('batch'), symbol('event')] as const;
    const events_BTE = input('events', 'float32', ['batch', 'event', 'userWidth'], [...shape, userWidth]);
    const mask_BT = input('mask', 'bool', ['batch', 'event'], shape);
    const { tree, named } = parameterInputs(module.parameters);
    const users = module.apply(tree as never, { events: events_BTE, mask: mask_BT });
    const runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
    const program = await runtime.compile(
      graph([events_BTE, mask_BT, ...Object.values(named)], { latentsOut: users.latents, maskOut: users.mask }),
    );
    const parameters = initialize(module);
    const results = await program.run({ events, mask, ...parameters });
    const expected = compress(module, events, mask, parameters);
    const latents = await results['latentsOut']!.read();
    expect(difference(latents.toArray() as number[], expected.latents)).toBeLessThan(1e-5);
    expect(Array.from((await results['maskOut']!.read()).data as Uint8Array)).toEqual(expected.mask);
    await program.dispose();
    await runtime.dispose();
  });

  it('has sixteen latents in two layers unless told', () => {
    const module = built(perceiverResampler, {}, 16);
    const wide = random(['batch', 'event', 'userWidth'], [2, 3, 16], 3);
    expect(compress(module, wide, maskOf([3, 1], 3)).shape).toEqual([2, 16, 16]);
    expect(Object.keys(module.parameters['layers']!)).toEqual(['0', '1']);
  });

  it('masks the latents of a user with no events, and no others', () => {
    const { mask: got } = compress(built(perceiverResampler, { ...like, recency: 0 }), events, mask);
    expect(got).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0]);
  });

  it('gives the same for events in another order when it knows no recency, and not when it does', () => {
    const swapped = new Tensor('float32', events.axes, events.shape, events.copy().data);
    for (let at = 0; at < userWidth; at++) {
      const first = swapped.data[at]!;
      swapped.data[at] = swapped.data[4 * userWidth + at]!;
      swapped.data[4 * userWidth + at] = first;
    }
    for (const recency of [0, 2]) {
      const module = built(perceiverResampler, { ...like, recency });
      const parameters = initialize(module);
      const far = difference(
        compress(module, swapped, mask, parameters).latents,
        compress(module, events, mask, parameters).latents,
      );
      if (recency === 0) expect(far).toBeLessThan(1e-12);
      else expect(far).toBeGreaterThan(1e-4);
    }
  });

  it.each([true, false])('never reads padding (reads latents: %s)', (readLatents) => {
    const module = built(perceiverResampler, { ...like, readLatents });
    const present = mask.toArray() as unknown as number[];
    const data = events.copy().data.map((value, at) => (present[Math.floor(at / userWidth)] ? value : 50 - value));
    const other = new Tensor('float32', events.axes, events.shape, data);
    expect(Array.from(data)).not.toEqual(Array.from(events.data));
    const parameters = initialize(module);
    expect(compress(module, other, mask, parameters)).toEqual(compress(module, events, mask, parameters));
  });

  describe('that reads events alone', () => {
    const module = built(perceiverResampler, { ...like, readLatents: false });
    const perUser = like.latents * userWidth;

    it('still masks the latents of a user with no events, and gives numbers for them', () => {
      const got = compress(module, events, mask);
      expect(got.mask).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0]);
      expect(got.latents.every(Number.isFinite)).toBe(true);
    });

    it('has latents that know nothing of each other, as those that read latents do', () => {
      const last = (readLatents: boolean): number => {
        const own = built(perceiverResampler, { ...like, readLatents });
        const parameters = initialize(own);
        const trained = parameters['latents']!;
        const data = Float32Array.from(trained.toArray() as number[]).map((value, at) => (at < userWidth ? -9 : value));
        const moved = new Tensor('float32', trained.axes, trained.shape, data);
        const changed = compress(own, events, mask, { ...parameters, latents: moved }).latents;
        const before = compress(own, events, mask, parameters).latents;
        expect(difference(changed.slice(0, userWidth), before.slice(0, userWidth))).toBeGreaterThan(1e-3);
        return difference(changed.slice(userWidth, perUser), before.slice(userWidth, perUser));
      };
      expect(last(false)).toBe(0);
      expect(last(true)).toBeGreaterThan(1e-4);
    });

    it('reads the same of an event as of the same event several times', () => {
      const one = random(['batch', 'event', 'userWidth'], [1, 1, userWidth], 4);
      const many = new Tensor(
        'float32',
        one.axes,
        [1, 3, userWidth],
        Float32Array.from([one, one, one].flatMap((x) => [...x.data])),
      );
      const far = (readLatents: boolean): number => {
        const own = built(perceiverResampler, { ...like, readLatents, recency: 0 });
        const parameters = initialize(own);
        return difference(
          compress(own, one, maskOf([1], 1), parameters).latents,
          compress(own, many, maskOf([3], 3), parameters).latents,
        );
      };
      expect(far(false)).toBeLessThan(1e-12);
      expect(far(true)).toBeGreaterThan(1e-4);
    });
  });

  it('starts with vectors of recency as large as half of what an event is made of, and small latents', () => {
    const parameters = initialize(built(perceiverResampler, { recency: 30, latents: 30 }, 64));
    const deviation = (name: string): number => {
      const values = parameters[name]!.toArray() as number[];
      return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    };
    expect(parameters['recency.weight']!.shape).toEqual([31, 64]);
    expect(deviation('recency.weight')).toBeCloseTo(0.5, 1);
    expect(deviation('latents')).toBeCloseTo(0.02, 2);
  });

  it('gives its latents in the order of its trained vectors, each the same wherever it stands', () => {
    const module = built(perceiverResampler, like);
    const parameters = initialize(module);
    const order = [2, 0, 1];
    const rows = (of: readonly number[], first: number): number[] =>
      order.flatMap((source) => of.slice((first + source) * userWidth, (first + source + 1) * userWidth));
    const trained = parameters['latents']!;
    const moved = new Tensor(
      'float32',
      trained.axes,
      trained.shape,
      Float32Array.from(rows(trained.toArray() as number[], 0)),
    );
    const got = compress(module, events, mask, { ...parameters, latents: moved }).latents;
    const before = compress(module, events, mask, parameters).latents;
    expect(
      difference(
        got,
        [0, 3, 6].flatMap((first) => rows(before, first)),
      ),
    ).toBeLessThan(1e-12);
    expect(difference(got, before)).toBeGreaterThan(1e-4);
  });

  it('refuses heads that do not divide the width, and unknown fields', () => {
    expect(() => built(perceiverResampler, { heads: 3 })).toThrow(UserLlmError);
    expect(() => built(perceiverResampler, { heads: 3 })).toThrow(/3 heads and width 8/);
    expect(() => built(perceiverResampler, { latent: 3 })).toThrow(/latent/);
    expect(() => built(perceiverResampler, { latents: 0 })).toThrow(/latents/);
  });
});

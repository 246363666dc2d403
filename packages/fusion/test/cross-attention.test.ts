import { evaluate, graph, input, parameterInputs, symbol, type Symbolic } from '@user-llm/graph';
import type { HiddenStates, UserLatents } from '@user-llm/plugin';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Tensor, UserLlmError } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bothFusions, crossAttention, readingLayers } from '../src/index.js';
import {
  built,
  difference,
  fused,
  fusedGradients,
  golden,
  inputFor,
  numbers,
  random,
  referenced,
  reordered,
  sizes,
  throughLayers,
  userInputs,
  users,
  valuesOf,
  type Tensors,
} from './support.js';

const whole = { every: 2, heads: 3, width: 6, projection: { hidden: 9 }, feedForward: { hidden: 7 } };
const configs = [
  ['plain', { heads: 4 }],
  ['with everything', whole],
  ['without a projection', { heads: 2, projection: null }],
] as const;

it("has the hidden states and every gradient of PyTorch's", async () => {
  const module = built(crossAttention, whole);
  const file = await golden('cross-attention', module);
  const parameters = Object.fromEntries(Object.keys(valuesOf(module)).map((name) => [name, file[name]!]));
  const given = { latents: file['latents']!, mask: file['mask']!, hidden: file['hidden']! };
  const { out, ...slopes } = fusedGradients(module, parameters, file['weights']!, given);
  expect(difference(out!, numbers(file['out']!))).toBeLessThan(1e-7);
  const named = Object.keys(file).filter((name) => name.startsWith('gradient/'));
  expect(Object.keys(slopes).sort()).toEqual(named.sort());
  for (const name of named) expect(difference(slopes[name]!, numbers(file[name]!)), name).toBeLessThan(1e-6);
});

describe.each(configs)('cross-attention %s', (_, config) => {
  const module = built(crossAttention, config);
  const trained = valuesOf(module);
  const hidden = numbers(users['hidden']!);
  const perUser = hidden.length / 3;

  it('changes no bit of the hidden states while its gates are 0', () => {
    expect(fused(module, valuesOf(module, { trained: false }))).toEqual(hidden);
  });

  it('moves its gates first: at the start only they have gradients', () => {
    const weights = random(['batch', 'token', 'modelWidth'], [3, 4, sizes.modelWidth], 5);
    const first = valuesOf(module, { trained: false });
    const { out: _out, 'gradient/hidden': _hidden, ...slopes } = fusedGradients(module, first, weights, users);
    const moved = Object.keys(slopes).filter((name) => slopes[name]!.some((value) => value !== 0));
    expect(moved.sort()).toEqual(
      Object.keys(slopes)
        .filter((name) => name.endsWith('gate'))
        .sort(),
    );
  });

  it('with gates above 0 reads users at once, and all of its parameters have gradients', () => {
    const open = built(crossAttention, { ...config, initialGate: 0.2 });
    const first = valuesOf(open, { trained: false });
    expect(difference(fused(open, first).slice(0, perUser), hidden.slice(0, perUser))).toBeGreaterThan(1e-4);
    const weights = random(['batch', 'token', 'modelWidth'], [3, 4, sizes.modelWidth], 5);
    const { out: _out, ...slopes } = fusedGradients(open, first, weights, users);
    const still = Object.keys(slopes).filter((name) => slopes[name]!.every((value) => value === 0));
    expect(still).toEqual([]);
  });

  it('changes the hidden states of users with events once trained, and not one bit of those without', () => {
    const got = fused(module, trained);
    expect(got.slice(2 * perUser)).toEqual(hidden.slice(2 * perUser));
    expect(difference(got.slice(0, perUser), hidden.slice(0, perUser))).toBeGreaterThan(0.01);
    expect(difference(got.slice(perUser, 2 * perUser), hidden.slice(perUser, 2 * perUser))).toBeGreaterThan(0.01);
  });

  it('reads the same of latents in another order', () => {
    const order = [2, 0, 1];
    const swapped = { ...users, latents: reordered(users['latents']!, order), mask: reordered(users['mask']!, order) };
    expect(difference(fused(module, trained, swapped), fused(module, trained))).toBeLessThan(1e-12);
  });

  it('never reads a masked latent', () => {
    const mask = numbers(users['mask']!);
    const data = Float32Array.from(numbers(users['latents']!), (value, at) =>
      mask[Math.floor(at / sizes.userWidth)] ? value : 500 - value,
    );
    const latents = new Tensor('float32', users['latents']!.axes, users['latents']!.shape, data);
    expect(fused(module, trained, { ...users, latents })).toEqual(fused(module, trained));
  });

  it('reads a context that was computed once as it reads one computed on the way', () => {
    const { users: symbols, hidden: states } = userInputs();
    const { tree, named } = parameterInputs(module.parameters);
    const context = module.context(tree as never, symbols);
    const { latents, mask } = users as { latents: Tensor; mask: Tensor };
    const once = graph([symbols.latents, symbols.mask, ...Object.values(named)], context);
    const kept = evaluate(once, referenced({ latents, mask, ...trained }));
    const fed = Object.fromEntries(
      Object.entries(context).map(([name, { dtype, axes, shape }]) => [name, input(name, dtype, axes, shape as never)]),
    ) as Record<string, Symbolic>;
    const out = throughLayers(module.hooks(tree as never, fed), states);
    const request = graph([...Object.values(fed), ...Object.values(named), states], { out });
    // Some requests for the same users, each of other tokens.
    for (const seed of [11, 12]) {
      const hidden = random(['batch', 'token', 'modelWidth'], [3, 4, sizes.modelWidth], seed);
      const got = evaluate(request, { ...kept, ...referenced({ ...trained, hidden }) })['out']!.data;
      expect(Array.from(got)).toEqual(fused(module, trained, { ...users, hidden }));
    }
  });
});

describe('on ONNX Runtime', () => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  });
  afterAll(() => runtime.dispose());

  it.each(configs)('%s: the same for any sizes, and no bit changed by gates of 0', async (_, config) => {
    const module = built(crossAttention, config);
    const [batch, latent, token] = ['batch', 'latent', 'token'].map(symbol) as [never, never, never];
    const latents = input('latents', 'float32', ['batch', 'latent', 'userWidth'], [batch, latent, sizes.userWidth]);
    const mask: UserLatents['mask'] = input('mask', 'bool', ['batch', 'latent'], [batch, latent]);
    const hidden: HiddenStates = input(
      'hidden',
      'float32',
      ['batch', 'token', 'modelWidth'],
      [batch, token, sizes.modelWidth],
    );
    const { tree, named } = parameterInputs(module.parameters);
    const out = throughLayers(module.apply(tree as never, { latents, mask }), hidden);
    const program = await runtime.compile(graph([latents, mask, hidden, ...Object.values(named)], { out }));
    const given = async (parameters: Tensors) =>
      numbers(await (await program.run({ ...users, ...parameters }))['out']!.read());
    expect(await given(valuesOf(module, { trained: false }))).toEqual(numbers(users['hidden']!));
    const trained = valuesOf(module);
    const got = await given(trained);
    expect(difference(got, fused(module, trained))).toBeLessThan(1e-4);
    expect(got.slice(-48)).toEqual(numbers(users['hidden']!).slice(-48));
    await program.dispose();
  });
});

describe('the first values', () => {
  const figuresOf = (config: object, name: string) => {
    const wide = built(crossAttention, { heads: 4, ...config }, { userWidth: 24, modelWidth: 48, layers: 1 });
    const values = numbers(valuesOf(wide, { trained: false })[`layers.0.${name}`]!);
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    return { deviation, most: Math.max(...values.map(Math.abs)) };
  };

  it.each([
    ['0.02 unless told', {}, 0.02],
    ['what is told', { deviation: 0.3 }, 0.3],
  ])('of the way back are normal with a deviation of %s', (_, config, deviation) => {
    const { deviation: got, most } = figuresOf(config, 'cross_attn.out_proj.weight');
    expect(got / deviation).toBeGreaterThan(0.93);
    expect(got / deviation).toBeLessThan(1.07);
    // A uniform distribution of this deviation has none beyond the root of 3 times it.
    expect(most / deviation).toBeGreaterThan(2.5);
  });

  it.each(['q_proj', 'k_proj', 'v_proj'])("of %s are uniform by Glorot and Bengio's rule whatever it is", (map) => {
    const { most } = figuresOf({ deviation: 0.3 }, `cross_attn.${map}.weight`);
    const bound = Math.sqrt(6 / 96);
    expect(most).toBeLessThanOrEqual(bound * (1 + 1e-6));
    expect(most).toBeGreaterThan(0.9 * bound);
  });
});

describe('the layers that read', () => {
  it('are every n-th, the n-th first', () => {
    expect(readingLayers(1, 3)).toEqual([0, 1, 2]);
    expect(readingLayers(4, 9)).toEqual([3, 7]);
    expect(Object.keys(built(crossAttention, { every: 2, heads: 4 }).parameters['layers']!)).toEqual(['1', '3']);
  });

  it('have keys and values in the context, once', () => {
    const module = built(crossAttention, { every: 2, heads: 4, width: 20 });
    const context = module.context(parameterInputs(module.parameters).tree as never, userInputs().users);
    expect(Object.keys(context)).toEqual(['keys.1', 'values.1', 'keys.3', 'values.3', 'mask']);
    expect(context['keys.1']!.shape).toEqual([3, 3, 20]);
  });
});

describe('bad configs', () => {
  const refused = (config: object, code: string, text: RegExp) => {
    const made = () => built(crossAttention, config);
    expect(made).toThrow(text);
    try {
      made();
    } catch (error) {
      expect(UserLlmError.isInstance(error, code)).toBe(code !== '');
    }
  };
  it('are refused with what would be right', () => {
    refused({}, 'bad-config', /8 heads and width 12/);
    refused({ heads: 5, width: 12 }, 'bad-config', /heads/);
    refused({ every: 5, heads: 4 }, 'bad-config', /1 to the 4 layers of the LLM, got 5/);
    refused({ every: 0 }, '', /every/);
    refused({ deviation: 0 }, '', /deviation/);
    refused({ head: 4 }, '', /head/);
    refused({ projection: { hiden: 3 } }, '', /hiden/);
  });

  it('so is a context of another fusion', () => {
    const module = built(crossAttention, { every: 2, heads: 4 });
    const prompt = inputFor('prompt', users['latents']!);
    const { tree } = parameterInputs(module.parameters);
    expect(() => module.hooks(tree as never, { prompt })).toThrow(/"mask": expected .* got one with prompt/);
  });
});

it('reads by both fusions what it reads by each', () => {
  const module = built(bothFusions, { crossAttention: { heads: 4 } });
  const trained = valuesOf(module);
  const alone = built(crossAttention, { heads: 4 });
  const own = Object.entries(trained).filter(([name]) => name.startsWith('crossAttention.'));
  const parameters = Object.fromEntries(own.map(([name, x]) => [name.replace('crossAttention.', ''), x]));
  expect(fused(module, trained)).toEqual(fused(alone, parameters));
});

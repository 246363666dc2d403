import {
  constant,
  evaluate,
  graph,
  input,
  parameterInputs,
  toReference,
  type Float,
  type Module,
} from '@user-llm/graph';
import { initializeParameters } from '@user-llm/graph';
import { Random, scalar, UserLlmError, type Tensor } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import {
  crossAttention,
  dropoutStreams,
  feedForward,
  layerNormalization,
  linear,
  noDropout,
  normalInitialization,
  projection,
  randomStreams,
  rmsNormalization,
  selfAttention,
  transformer,
  xavierInitialization,
} from '../src/index.js';

const normal = normalInitialization(0.7);
const drawn = (count: number, name: string): number[] =>
  Array.from(Random.fromSeed(1).split(name).normal(new Float64Array(count)));
const values = (module: Pick<Module, 'parameters'>) =>
  Object.fromEntries(
    Object.entries(initializeParameters(module.parameters, Random.fromSeed(4))).map(([name, value]) => [
      name,
      toReference(value as Tensor),
    ]),
  );
const array = (shape: readonly number[], data: readonly number[], dtype: 'float32' | 'bool' | 'int32' = 'float32') => ({
  dtype,
  shape,
  data: Float64Array.from(data),
});

describe('maps and norms', () => {
  const x = input('x', 'float32', ['row', 'in'], [2, 3]);
  const given = drawn(6, 'x');

  it('are what their formulas say', () => {
    const map = linear({ axis: 'in', size: 3 }, { axis: 'out', size: 2 }, normal);
    const bare = projection({ axis: 'in', size: 3 }, { axis: 'out', size: 2 }, normal);
    const layer = layerNormalization({ axis: 'in', size: 3 }, 1e-5);
    const rms = rmsNormalization({ axis: 'in', size: 3 }, 1e-5);
    const parts = { map: map.parameters, bare: bare.parameters, layer: layer.parameters, rms: rms.parameters };
    const { tree, named } = parameterInputs(parts);
    const program = graph([x, ...Object.values(named)], {
      map: map.apply(tree.map, x),
      bare: bare.apply(tree.bare, x),
      layer: layer.apply(tree.layer, x),
      rms: rms.apply(tree.rms, x),
    });
    const own = { ...values({ parameters: parts }), 'map.bias': array([2], [0.5, -1]) };
    const got = evaluate(program, { ...own, x: array([2, 3], given) });
    for (let row = 0; row < 2; row++) {
      const of = given.slice(row * 3, row * 3 + 3);
      const mean = of.reduce((sum, value) => sum + value) / 3;
      const variance = of.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3;
      const square = of.reduce((sum, value) => sum + value ** 2, 0) / 3;
      of.forEach((value, at) => {
        expect(got['layer']!.data[row * 3 + at]).toBeCloseTo((value - mean) / Math.sqrt(variance + 1e-5), 10);
        expect(got['rms']!.data[row * 3 + at]).toBeCloseTo(value / Math.sqrt(square + 1e-5), 10);
      });
      for (const [name, bias] of [
        ['map', [0.5, -1]],
        ['bare', [0, 0]],
      ] as const) {
        bias.forEach((added, out) => {
          const weights = values({ parameters: parts })[`${name}.weight`]!.data.slice(out * 3, out * 3 + 3);
          const sum = of.reduce((total, value, at) => total + value * weights[at]!, added);
          expect(got[name]!.data[row * 2 + out]).toBeCloseTo(sum, 10);
        });
      }
    }
  });

  it('start by the rule told', () => {
    expect(xavierInitialization()(3, 9)).toEqual({ kind: 'uniform', bound: Math.sqrt(0.5) });
    expect(normalInitialization(0.02)(3, 9)).toEqual({ kind: 'normal', standardDeviation: 0.02 });
  });
});

describe('a feed-forward network', () => {
  it('multiplies values by silu of gates in SwiGLU', () => {
    const network = feedForward({
      width: { axis: 'in', size: 2 },
      hidden: 3,
      activation: 'swiglu',
      initialization: normal,
    });
    const { tree, named } = parameterInputs(network.parameters);
    const x = input('x', 'float32', ['row', 'in'], [1, 2]);
    const own = values(network);
    const given = [0.3, -1.2];
    const got = evaluate(graph([x, ...Object.values(named)], { y: network.apply(tree, x) }), {
      ...own,
      x: array([1, 2], given),
    });
    const wide = own['linear1.weight']!;
    expect(wide.shape).toEqual([6, 2]);
    const first = Array.from(
      { length: 6 },
      (_, row) => wide.data[row * 2]! * given[0]! + wide.data[row * 2 + 1]! * given[1]!,
    );
    const inner = [0, 1, 2].map((at) => (first[at]! / (1 + Math.exp(-first[at]!))) * first[3 + at]!);
    const back = own['linear2.weight']!.data;
    [0, 1].forEach((row) => {
      const sum = inner.reduce((total, value, at) => total + value * back[row * 3 + at]!, 0);
      expect(got['y']!.data[row]).toBeCloseTo(sum, 10);
    });
  });
});

describe('cross-attention', () => {
  const part = crossAttention({
    width: { axis: 'modelWidth', size: 6 },
    context: { axis: 'userWidth', size: 4 },
    heads: 2,
    initialization: normal,
  });
  const { tree, named } = parameterInputs(part.parameters);
  const x = input('x', 'float32', ['batch', 'token', 'modelWidth'], [2, 3, 6]);
  const context = input('context', 'float32', ['batch', 'latent', 'userWidth'], [2, 5, 4]);
  const mask = input('mask', 'bool', ['batch', 'latent'], [2, 5]);
  const read = part.keysAndValues(tree, context);
  const program = graph([x, context, mask, ...Object.values(named)], { y: part.apply(tree, x, read, mask) });
  const feeds = (data: readonly number[], may: readonly number[]) => ({
    ...values(part),
    x: array([2, 3, 6], drawn(36, 'x')),
    context: array([2, 5, 4], data),
    mask: array([2, 5], may, 'bool'),
  });
  const may = [1, 1, 0, 1, 0, 0, 0, 0, 0, 0];

  it('starts its way back in another way where that is told, and nothing else', () => {
    const sizes = {
      width: { axis: 'modelWidth', size: 6 },
      context: { axis: 'userWidth', size: 4 },
      heads: 2,
    } as const;
    const started = (outInitialization: object) =>
      Object.entries(crossAttention({ ...sizes, initialization: normal, ...outInitialization }).parameters).map(
        ([name, { weight }]) => [name, weight.initializer] as const,
      );
    const [own, other] = [normal(4, 6), { kind: 'normal', standardDeviation: 0.01 }];
    const names = ['q_proj', 'k_proj', 'v_proj', 'out_proj'];
    expect(started({})).toEqual(names.map((name) => [name, own]));
    expect(started({ outInitialization: normalInitialization(0.01) })).toEqual(
      names.map((name) => [name, name === 'out_proj' ? other : own]),
    );
  });

  it('reads nothing where the mask is false, and gives zeros where it may read nothing', () => {
    const data = drawn(40, 'context');
    const changed = data.map((value, at) => (may[Math.floor(at / 4)] ? value : value + 3));
    const before = Array.from(evaluate(program, feeds(data, may))['y']!.data);
    expect(Array.from(evaluate(program, feeds(changed, may))['y']!.data)).toEqual(before);
    expect(before.slice(0, 18).every((value) => value !== 0)).toBe(true);
    expect(before.slice(18).every((value) => value === 0)).toBe(true);
  });

  it('does not care for the order of what is read', () => {
    const data = drawn(40, 'context');
    const turned = [...data.slice(12, 20), ...data.slice(0, 12), ...data.slice(20)];
    const all = Array<number>(10).fill(1);
    const before = evaluate(program, feeds(data, all))['y']!.data;
    evaluate(program, feeds(turned, all))['y']!.data.forEach((value, at) => expect(value).toBeCloseTo(before[at]!, 12));
  });
});

describe('dropout streams', () => {
  const count = 4000;
  const x = input('x', 'float32', ['row'], [count]);
  const ones = array([count], Array<number>(count).fill(1));
  const masks = (seed: number, name: string, uses: number, rate: number) => {
    const drop = dropoutStreams(constant(scalar('int32', seed)), name);
    const outputs = Object.fromEntries(Array.from({ length: uses }, (_, use) => [`${use}`, drop(x, rate) as Float]));
    const got = evaluate(graph([x], outputs), { x: ones });
    return Array.from({ length: uses }, (_, use) => Array.from(got[`${use}`]!.data));
  };

  it('drops the share told and scales the rest, each use on its own', () => {
    const made = masks(3, 'a', 4, 0.25);
    for (const mask of made) {
      expect([...new Set(mask)].sort()).toEqual([0, Math.fround(1 / 0.75)]);
      const dropped = mask.filter((value) => value === 0).length;
      expect(Math.abs(dropped - 0.25 * count)).toBeLessThan(4 * Math.sqrt(count * 0.25 * 0.75));
    }
    // Two that are independent drop the same element in a sixteenth of all places.
    for (let one = 0; one < 4; one++) {
      for (let other = 0; other < one; other++) {
        const both = made[one]!.filter((value, at) => value === 0 && made[other]![at] === 0).length;
        expect(Math.abs(both - count / 16)).toBeLessThan(4 * Math.sqrt((count * 15) / 256));
      }
    }
  });

  it('depends on seed and name alone', () => {
    expect(masks(3, 'a', 3, 0.1)).toEqual(masks(3, 'a', 3, 0.1));
    expect(masks(4, 'a', 1, 0.1)).not.toEqual(masks(3, 'a', 1, 0.1));
    expect(masks(3, 'b', 1, 0.1)).not.toEqual(masks(3, 'a', 1, 0.1));
  });

  it('leaves everything as it is without a seed, or at a rate of 0', () => {
    expect(dropoutStreams(undefined, 'a')).toBe(noDropout);
    expect(noDropout(x, 0.5)).toBe(x);
    expect(dropoutStreams(constant(scalar('int32', 1)), 'a')(x, 0)).toBe(x);
  });

  it('refuses what is no probability below 1', () => {
    const drop = dropoutStreams(constant(scalar('int32', 1)), 'a');
    for (const rate of [1, -0.1, NaN]) expect(() => drop(x, rate)).toThrow(/a rate from 0/);
  });

  it('numbers streams differently for each use and name', () => {
    const [one, other] = [randomStreams('a'), randomStreams('b')];
    expect(new Set([one(), one(), one(), other(), other()]).size).toBe(5);
    expect(randomStreams('a')()).toBe(randomStreams('a')());
  });
});

it.each([
  () => selfAttention({ width: { axis: 'w', size: 6 }, heads: 4, causal: true, initialization: normal }),
  () =>
    crossAttention({
      width: { axis: 'w', size: 6 },
      context: { axis: 'c', size: 2 },
      heads: 4,
      initialization: normal,
    }),
  () =>
    transformer({
      width: { axis: 'w', size: 6 },
      layers: 1,
      heads: 4,
      feedForward: 2,
      activation: 'relu',
      causal: true,
      epsilon: 1e-5,
      initialization: normal,
      dropout: 0,
    }),
])('heads that do not divide the width are refused', (make) => {
  try {
    make();
    expect.unreachable();
  } catch (error) {
    expect(UserLlmError.isInstance(error, 'bad-config')).toBe(true);
  }
});

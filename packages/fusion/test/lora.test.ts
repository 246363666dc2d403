import {
  differentiate,
  input,
  matmulTransposed,
  multiply,
  parameterInputs,
  square,
  sum,
  type Float,
} from '@user-llm/graph';
import type { LinearMap } from '@user-llm/plugin';
import { Tensor, UserLlmError } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { lora, loraConfig, loraTargets, mergeLora, type LoraModule } from '../src/index.js';
import { difference, inputFor, numbers, random, run, valuesOf, type Tensors } from './support.js';

const linearMaps: Readonly<Record<string, LinearMap>> = Object.fromEntries(
  [0, 1].flatMap((layer) => [
    [`model.layers.${layer}.self_attn.q_proj`, { inputs: 6, outputs: 6 }],
    [`model.layers.${layer}.self_attn.k_proj`, { inputs: 6, outputs: 3 }],
    [`model.layers.${layer}.mlp.up_proj`, { inputs: 6, outputs: 10 }],
    [`model.layers.${layer}.mlp.down_proj`, { inputs: 10, outputs: 6 }],
  ]),
);
const name = 'model.layers.1.mlp.up_proj';
const x = random(['batch', 'token', 'modelWidth'], [2, 3, 6], 21);
const weights: Tensors = Object.fromEntries(
  Object.entries(linearMaps).map(([map, { inputs, outputs }], at) => [
    `${map}.weight`,
    random(['output', 'input'], [outputs, inputs], 30 + at),
  ]),
);

/** What the map `name` makes of `x` with LoRA, and what is fed for it. */
function adapted(module: LoraModule, parameters: Tensors, seed?: number): readonly number[] {
  const { out, inputs, feeds } = graphOf(module, parameters, seed);
  return run(inputs, { out }, feeds)['out']!;
}

function graphOf(module: LoraModule, parameters: Tensors, seed?: number) {
  const { tree, named } = parameterInputs(module.parameters);
  const x_BLD = inputFor('x', x) as Float<readonly ['batch', 'token', 'modelWidth']>;
  const weight = input('weight', 'float32', ['hidden', 'modelWidth'], [10, 6]);
  const seeds = seed === undefined ? [] : [input('seed', 'int32', [], [])];
  const hooks = module.hooks(tree as never, seeds[0] ? { seed: seeds[0] } : {});
  const out = hooks.linear!(name, x_BLD, matmulTransposed(x_BLD, weight));
  const fed = seed === undefined ? {} : { seed: new Tensor('int32', [], [], Int32Array.of(seed)) };
  const feeds = { x, weight: relabelled(weights[`${name}.weight`]!), ...fed, ...parameters };
  return { out, named, inputs: [x_BLD, weight, ...seeds, ...Object.values(named)], feeds };
}

const relabelled = (weight: Tensor): Tensor => weight.reshape(['hidden', 'modelWidth'], weight.shape);

/** `x W^T`, by hand. */
function mapped(weight: Tensor): number[] {
  const [outputs, inputs] = weight.shape as readonly [number, number];
  const [w, values] = [numbers(weight), numbers(x)];
  return Array.from({ length: (values.length / inputs) * outputs }, (_, at) => {
    const [row, output] = [Math.floor(at / outputs), at % outputs];
    return Array.from({ length: inputs }, (_, k) => values[row * inputs + k]! * w[output * inputs + k]!).reduce(
      (all, value) => all + value,
    );
  });
}

describe('LoRA', () => {
  const config = loraConfig.parse({ rank: 2, alpha: 6 });
  const module = lora(config, linearMaps);

  it('changes nothing at the start, and trains B first', () => {
    const first = valuesOf(module, { trained: false });
    const plain = mapped(weights[`${name}.weight`]!);
    expect(difference(adapted(module, first), plain)).toBeLessThan(1e-12);
    const { out, named, inputs, feeds } = graphOf(module, first);
    const { gradients } = differentiate(sum(square(out)), named);
    const slopes = run(inputs, gradients, feeds);
    expect(Object.keys(slopes).filter((key) => slopes[key]!.some((value) => value !== 0))).toEqual([
      `${name}.lora_B.weight`,
    ]);
  });

  it('adds alpha / rank * B A x', () => {
    const trained = valuesOf(module);
    const [a, b] = [numbers(trained[`${name}.lora_A.weight`]!), numbers(trained[`${name}.lora_B.weight`]!)];
    const values = numbers(x);
    const plain = mapped(weights[`${name}.weight`]!);
    const expected = plain.map((value, at) => {
      const [row, output] = [Math.floor(at / 10), at % 10];
      const narrow = [0, 1].map((middle) =>
        [0, 1, 2, 3, 4, 5].reduce((all, k) => all + a[middle * 6 + k]! * values[row * 6 + k]!, 0),
      );
      return value + 3 * (b[output * 2]! * narrow[0]! + b[output * 2 + 1]! * narrow[1]!);
    });
    expect(difference(adapted(module, trained), expected)).toBeLessThan(1e-10);
  });

  it('drops by the seed alone, and nothing without one', () => {
    const dropping = lora({ ...config, dropout: 0.5 }, linearMaps);
    const trained = valuesOf(dropping);
    expect(adapted(dropping, trained)).toEqual(adapted(module, trained));
    expect(adapted(dropping, trained, 1)).toEqual(adapted(dropping, trained, 1));
    expect(difference(adapted(dropping, trained, 1), adapted(dropping, trained, 2))).toBeGreaterThan(0.1);
    expect(difference(adapted(dropping, trained, 1), adapted(dropping, trained))).toBeGreaterThan(0.1);
  });

  it('leaves maps alone that are no targets', () => {
    const narrow = lora({ ...config, targets: ['q_proj'] }, linearMaps);
    const first = input('first', 'float32', ['batch', 'token', 'modelWidth'], [2, 3, 6]);
    const made = multiply(first, 2);
    const { tree } = parameterInputs(narrow.parameters);
    expect(narrow.hooks(tree as never).linear!(name, first, made)).toBe(made);
  });

  it('merges into weights that map as the adapted ones do', () => {
    const trained = valuesOf(module);
    const merged = mergeLora(weights, trained, config, linearMaps);
    expect(Object.keys(merged)).toEqual(Object.keys(weights));
    const got = mapped(merged[`${name}.weight`]!);
    const expected = adapted(module, trained);
    const size = Math.max(...expected.map(Math.abs));
    expect(difference(got, expected) / size).toBeLessThan(1e-6);
    expect(difference(numbers(merged[`${name}.weight`]!), numbers(weights[`${name}.weight`]!))).toBeGreaterThan(0.1);
    expect(merged[`${name}.weight`]!.dtype).toBe('float32');
  });

  it('merges nothing into maps that are no targets', () => {
    const narrow = { ...config, targets: ['q_proj'] };
    const merged = mergeLora(weights, valuesOf(lora(narrow, linearMaps)), narrow, linearMaps);
    const changed = Object.keys(merged).filter((key) => merged[key] !== weights[key]);
    expect(changed).toEqual([0, 1].map((layer) => `model.layers.${layer}.self_attn.q_proj.weight`));
  });

  it('keeps the dtype of the weights it is merged into', () => {
    const half = Object.fromEntries(Object.entries(weights).map(([key, tensor]) => [key, tensor.cast('bfloat16')]));
    const merged = mergeLora(half, valuesOf(module), config, linearMaps);
    expect(merged[`${name}.weight`]!.dtype).toBe('bfloat16');
  });

  it('says which weight is missing or of another shape', () => {
    const trained = valuesOf(module);
    const { [`${name}.weight`]: _gone, ...without } = weights;
    expect(() => mergeLora(without, trained, config, linearMaps)).toThrow(
      /model\.layers\.1\.mlp\.up_proj\.weight: expected \[10, 6\], got nothing/,
    );
    expect(() => mergeLora(weights, trained, { ...config, rank: 3 }, linearMaps)).toThrow(/lora_A.*expected \[3, 6\]/);
  });
});

describe('targets', () => {
  it('are whole names, ends of names, or patterns', () => {
    expect(loraTargets(['*'], linearMaps)).toEqual(Object.keys(linearMaps));
    expect(loraTargets([name], linearMaps)).toEqual([name]);
    expect(loraTargets(['k_proj', 'mlp.down_proj'], linearMaps)).toHaveLength(4);
    expect(loraTargets(['model.layers.1.*_proj'], linearMaps)).toHaveLength(4);
    expect(loraTargets(['self_attn.*'], linearMaps)).toHaveLength(4);
    expect(lora(loraConfig.parse({}), linearMaps).targets).toEqual(Object.keys(linearMaps));
  });

  it('that name nothing are refused with those there are', () => {
    const refused = (targets: string[]) => () => lora(loraConfig.parse({ targets }), linearMaps);
    expect(refused(['q_proj', 'c_attn'])).toThrow(/"c_attn".*q_proj, k_proj, up_proj, down_proj/);
    // A dot is a dot, and an end starts at one.
    expect(refused(['proj'])).toThrow(UserLlmError);
    expect(refused(['self_attn.q.proj'])).toThrow(UserLlmError);
  });

  it('and other settings are checked', () => {
    for (const bad of [{ rank: 0 }, { alpha: 0 }, { dropout: 1 }, { targets: [] }, { ranks: 3 }]) {
      expect(loraConfig.safeParse(bad).success, JSON.stringify(bad)).toBe(false);
    }
  });
});

import { parameterInputs } from '@user-llm/graph';
import { expect, it } from 'vitest';
import { bothFusions, softPrompt } from '../src/index.js';
import { built, difference, numbers, run, sizes, userInputs, users, valuesOf } from './support.js';

const { userWidth, modelWidth } = sizes;

function prefixOf(module: ReturnType<typeof built>, parameters: ReturnType<typeof valuesOf>): readonly number[] {
  const { users: latents } = userInputs();
  const { tree, named } = parameterInputs(module.parameters);
  const { prefix } = module.apply(tree as never, latents);
  expect(prefix!.axes).toEqual(['batch', 'token', 'modelWidth']);
  expect(prefix!.shape).toEqual([3, 3, modelWidth]);
  const feeds = { latents: users['latents']!, mask: users['mask']!, ...parameters };
  return run([latents.latents, latents.mask, ...Object.values(named)], { out: prefix! }, feeds)['out']!;
}

/** Two maps with relu between them, by hand. */
function projected(latent: readonly number[], parameters: ReturnType<typeof valuesOf>): number[] {
  const map = (x: readonly number[], name: string): number[] => {
    const [weight, bias] = [numbers(parameters[`${name}.weight`]!), numbers(parameters[`${name}.bias`]!)];
    return bias.map((start, row) => x.reduce((all, value, at) => all + value * weight[row * x.length + at]!, start));
  };
  const hidden = map(latent, 'projection.linear1').map((value) => Math.max(0, value));
  return map(hidden, 'projection.linear2');
}

it('puts projected latents before the tokens, and the absent vector where there is none', () => {
  const module = built(softPrompt, { projection: { hidden: 5, activation: 'relu' } });
  const parameters = valuesOf(module);
  const prefix = prefixOf(module, parameters);
  const latents = numbers(users['latents']!);
  const absent = numbers(parameters['absent']!);
  numbers(users['mask']!).forEach((spoken, at) => {
    const latent = latents.slice(at * userWidth, (at + 1) * userWidth);
    const expected = spoken ? projected(latent, parameters) : absent;
    expect(difference(prefix.slice(at * modelWidth, (at + 1) * modelWidth), expected)).toBeLessThan(1e-12);
  });
});

it('is the same prompt beside cross-attention', () => {
  const module = built(bothFusions, { crossAttention: { heads: 4 } });
  const { users: latents } = userInputs();
  const { tree } = parameterInputs(module.parameters);
  const context = module.context(tree as never, latents);
  expect(Object.keys(context).filter((name) => !/^(keys|values)/.test(name))).toEqual(['mask', 'prompt']);
  const hooks = module.hooks(tree as never, context);
  expect(Object.keys(hooks).sort()).toEqual(['afterSelfAttention', 'prefix']);
  const alone = built(softPrompt);
  const parameters = valuesOf(alone);
  const beside = Object.entries(parameters).map(([name, tensor]) => [`softPrompt.${name}`, tensor] as const);
  const all = { ...valuesOf(module), ...Object.fromEntries(beside) };
  expect(prefixOf(module, all)).toEqual(prefixOf(alone, parameters));
});

it('refuses unknown fields', () => {
  expect(() => built(softPrompt, { projection: null })).toThrow(/projection/);
  expect(() => built(softPrompt, { length: 3 })).toThrow(/length/);
});

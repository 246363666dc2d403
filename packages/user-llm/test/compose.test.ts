import { evaluate, graph, initializeParameters, symbol, toReference } from '@user-llm/graph';
import { meanPool } from '@user-llm/perceiver';
import type { Compressor } from '@user-llm/plugin';
import { equal, Random, Tensor, tensor } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { composeUserLlm, defineUserLlm, eventInputs, parameterGroup, userLlmRegistry } from '../src/index.js';
import { composeTiny, features, textInputs, tinyConfig, type Model } from './support.js';

const users = {
  'events.item': tensor(
    'int32',
    ['batch', 'event'],
    [
      [3, 4, 5],
      [6, 7, 0],
    ],
  ),
  'events.rating': tensor(
    'int32',
    ['batch', 'event'],
    [
      [3, 4, 5],
      [6, 7, 0],
    ],
  ),
  'events.genres': tensor(
    'int32',
    ['batch', 'event', 'slot'],
    [
      [
        [3, 4],
        [5, 0],
        [6, 0],
      ],
      [
        [3, 0],
        [4, 0],
        [0, 0],
      ],
    ],
  ),
  'events.mask': tensor(
    'bool',
    ['batch', 'event'],
    [
      [true, true, true],
      [true, true, false],
    ],
  ),
};
const tokens = tensor(
  'int32',
  ['batch', 'token'],
  [
    [1, 5, 9, 13],
    [2, 4, 6, 8],
  ],
);

function weightsOf(model: Model, gate: number): Record<string, Tensor<'float32'>> {
  const weights = initializeParameters(model.parameters, Random.fromSeed(5));
  for (const [name, weight] of Object.entries(weights)) if (name.endsWith('.gate')) weight.data.fill(gate);
  return weights;
}

function logits(model: Model, weights: Readonly<Record<string, Tensor>>, of: 'nobody' | typeof users): Tensor {
  const { tree, named, tokens: token } = textInputs(model);
  const { batch, inputs } = eventInputs(features, symbol('batch'), symbol('event'));
  const context = of === 'nobody' ? {} : { context: model.userContext(tree, batch) };
  const fed = of === 'nobody' ? {} : of;
  const made = graph([token, ...(of === 'nobody' ? [] : inputs), ...named], {
    logits: model.logits(tree, { tokens: token, ...context }),
  });
  const all = Object.entries({ tokens, ...fed, ...weights }).map(([name, value]) => [
    name,
    toReference(value as Tensor),
  ]);
  const { shape, data } = evaluate(made, Object.fromEntries(all))['logits']!;
  return new Tensor('float64', ['batch', 'token', 'vocabulary'], shape, data);
}

describe('a composed model', () => {
  it('is the bare LLM, bit for bit, while the gates are 0', () => {
    const model = composeTiny({ lora: { rank: 2, alpha: 4, dropout: 0, targets: ['*'] } });
    const weights = weightsOf(model, 0);
    expect(equal(logits(model, weights, users), logits(model, weights, 'nobody'))).toBe(true);
  });

  it('reads the user once the gates are open', () => {
    const model = composeTiny();
    const weights = weightsOf(model, 1);
    const swapped = Object.fromEntries(
      Object.entries(users).map(([name, of]) => {
        const [first, second] = (of as Tensor).toNested() as never[];
        return [name, tensor(of.dtype, of.axes, [second, first] as never)];
      }),
    ) as unknown as typeof users;
    const own = logits(model, weights, users);
    expect(equal(own, logits(model, weights, swapped))).toBe(false);
    expect(equal(own, logits(model, weights, 'nobody'))).toBe(false);
  });

  it('says whose part failed', () => {
    const failing: Compressor = {
      ...(meanPool as Compressor),
      name: 'failing',
      build: () => ({
        parameters: {},
        apply: () => {
          throw new Error('a bug');
        },
      }),
    };
    const registry = userLlmRegistry([{ name: 'team', specVersion: 1, compressors: [failing] }]);
    const config = defineUserLlm(tinyConfig({ compressor: { name: 'failing' } }));
    const model = composeUserLlm(config, { registry, features });
    const { batch } = eventInputs(features, symbol('batch'), symbol('event'));
    expect(() => model.userContext(textInputs(model).tree, batch)).toThrow(
      'plugin "team", apply of "failing" among its compressors: got a bug',
    );
  });

  it('names its parameters by part', () => {
    const names = Object.keys(
      weightsOf(composeTiny({ lora: { rank: 2, alpha: 4, dropout: 0, targets: ['q_proj'] } }), 0),
    );
    const groups = new Set(names.map(parameterGroup));
    expect([...groups]).toEqual(['encoder', 'compressor', 'fusion', 'lora', 'llm']);
    expect(() => parameterGroup('head.weight')).toThrow('expected a name that starts with');
  });
});

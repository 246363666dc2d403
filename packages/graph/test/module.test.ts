import { Random } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import {
  add,
  evaluate,
  flattenParameters,
  graph,
  initializeParameters,
  input,
  matmul,
  parameter,
  parameterInputs,
  toReference,
  type Module,
} from '../src/index.js';

const parameters = {
  layer: {
    weight: parameter(['in', 'out'], [3, 2], { kind: 'normal', standardDeviation: 0.02 }),
    bias: parameter(['out'], [2], { kind: 'constant', value: 0.5 }),
  },
  scale: parameter([], [], { kind: 'uniform', bound: 0.1 }),
};
const x = input('x', 'float32', ['batch', 'in'], [2, 3]);
const linear: Module<typeof parameters, typeof x> = {
  parameters,
  apply: ({ layer }, from) => add(matmul(from, layer.weight), layer.bias),
};

describe('parameters', () => {
  it('have the names of their paths', () => {
    expect([...flattenParameters(parameters).keys()]).toEqual(['layer.weight', 'layer.bias', 'scale']);
    const { tree, named } = parameterInputs(parameters);
    expect(named['layer.weight']).toBe(tree.layer.weight);
    expect(tree.layer.bias.shape).toEqual([2]);
  });

  it('start as they are told, each by the seed and its own name alone', () => {
    const values = initializeParameters(parameters, Random.fromSeed(1));
    expect([...values['layer.bias']!.data]).toEqual([0.5, 0.5]);
    expect(Math.abs(values['scale']!.data[0]!)).toBeLessThanOrEqual(0.1);
    expect(values['layer.weight']!.data.some((value) => value !== 0)).toBe(true);
    const more = { first: parameters.scale, ...parameters };
    expect(initializeParameters(more, Random.fromSeed(1))['layer.weight']).toEqual(values['layer.weight']);
    expect(initializeParameters(parameters, Random.fromSeed(2))['layer.weight']).not.toEqual(values['layer.weight']);
  });

  it('make a graph that runs', () => {
    const { tree, named } = parameterInputs(linear.parameters);
    const source = graph([x, ...Object.values(named)], { y: linear.apply(tree, x) as typeof x });
    const values = initializeParameters(parameters, Random.fromSeed(1));
    const feeds = Object.fromEntries(Object.entries(values).map(([name, tensor]) => [name, toReference(tensor)]));
    const zeros = { dtype: 'float32', shape: [2, 3], data: new Float64Array(6) } as const;
    expect([...evaluate(source, { ...feeds, x: zeros })['y']!.data]).toEqual([0.5, 0.5, 0.5, 0.5]);
  });
});

import {
  evaluate,
  graph,
  initializeParameters,
  input,
  parameterInputs,
  toReference,
  type ReferenceArray,
} from '@user-llm/graph';
import { Random, type Id } from '@user-llm/tensor';
import { expect, it } from 'vitest';
import { benchmarkEncoder, encoder, type EncoderConfig } from '../src/index.js';

const small: EncoderConfig = {
  ...benchmarkEncoder,
  items: 11,
  width: 8,
  layers: 2,
  heads: 2,
  feedForward: 16,
  deviation: 0.3,
};

/** What the encoder makes of one history, `[T][E]`. */
function encoded(config: EncoderConfig, history: readonly number[]): number[][] {
  const model = encoder(config);
  const { tree, named } = parameterInputs(model.parameters);
  const item = input('item', 'int32' as Id<'item'>, ['batch', 'event'], [1, history.length]);
  const values = initializeParameters(model.parameters, Random.fromSeed(5));
  const ids: ReferenceArray = { dtype: 'int32', shape: [1, history.length], data: Float64Array.from(history) };
  const feeds = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toReference(value as never)]));
  const outputs = evaluate(graph([item, ...Object.values(named)], { events: model.apply(tree, item) }), {
    ...feeds,
    item: ids,
  });
  const { data } = outputs['events']!;
  return history.map((_, at) => [...data.slice(at * config.width, (at + 1) * config.width)]);
}

it.each(['gelu', 'relu'] as const)('an event changes nothing before it, with %s', (activation) => {
  const config = { ...small, activation };
  const before = encoded(config, [1, 2, 3, 4, 5]);
  const after = encoded(config, [1, 2, 3, 9, 5]);
  expect(after.slice(0, 3)).toEqual(before.slice(0, 3));
  expect(after[3]).not.toEqual(before[3]);
  expect(after[4]).not.toEqual(before[4]);
});

it('uses the activation it is told', () => {
  expect(encoded({ ...small, activation: 'relu' }, [1, 2])).not.toEqual(
    encoded({ ...small, activation: 'gelu' }, [1, 2]),
  );
});

it('the same item at another place is another event', () => {
  const [first, second] = encoded(small, [4, 4]);
  expect(first).not.toEqual(second);
});

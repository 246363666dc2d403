import { Tensor } from '@user-llm/tensor';
import { expect, it } from 'vitest';
import {
  broadcastLike,
  cachedAttention,
  constant,
  evaluate,
  graph,
  input,
  range,
  type CachedAttentionOptions,
  type Graph,
} from '../../src/index.js';
import { randomFeeds } from '../support/evaluate-equal.js';

const [batch, time, places, size] = [2, 3, 5, 4];

/** New tokens behind as many as are fed, or behind none. */
function reading({ heads, keyValueHeads = heads, ...more }: CachedAttentionOptions, none: boolean): Graph {
  const query = input('query', 'float32', ['batch', 'token', 'width'], [batch, time, heads * size]);
  const [key, value] = ['key', 'value'].map((name) =>
    input(name, 'float32', ['batch', 'token', 'keyWidth'], [batch, time, keyValueHeads * size]),
  );
  const [keys, values] = ['keys', 'values'].map((name) =>
    input(name, 'float32', ['batch', 'keyValueHead', 'place', 'headSize'], [batch, keyValueHeads, places, size]),
  );
  const fed = input('lengths', 'int32', ['batch'], [batch]);
  const zero = constant(new Tensor('int32', [], [], new Int32Array(1)));
  const lengths = none ? broadcastLike(zero, range('batch', batch)) : fed;
  const caches = { keys: keys!, values: values! };
  const read = cachedAttention(query, key!, value!, caches, lengths, { heads, keyValueHeads, ...more });
  return graph([query, key!, value!, keys!, values!, fed], { ...read });
}

it.each<CachedAttentionOptions>([
  { heads: 2 },
  { heads: 4, keyValueHeads: 2, scale: 0.3 },
  { heads: 2, window: 2 },
  { heads: 2, softCap: 0.7 },
])('is the same where it is known that nothing is cached: %o', (options) => {
  const feeds = { ...randomFeeds(reading(options, false), 3) };
  feeds['lengths'] = { ...feeds['lengths']!, data: new Float64Array(batch) };
  const [wanted, got] = [false, true].map((none) => evaluate(reading(options, none), feeds));
  got!['mixed']!.data.forEach((number, at) => expect(number).toBeCloseTo(wanted!['mixed']!.data[at]!, 10));
  for (const name of ['keys', 'values']) {
    expect(got![name]!.shape).toEqual(wanted![name]!.shape);
    // What lies behind the new tokens is not defined.
    const there = (data: Float64Array): Float64Array => data.filter((_, at) => Math.floor(at / size) % places < time);
    expect(there(got![name]!.data)).toEqual(there(wanted![name]!.data));
  }
});

import {
  add,
  attention,
  broadcastLike,
  cachedAttention,
  holdScores,
  constant,
  evaluate,
  graph,
  input,
  range,
  rotaryFrequencies,
  rotaryTables,
  split,
  symbol,
  toReference,
  type Graph,
} from '@user-llm/graph';
import { Random, Tensor } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OnnxRuntime } from '../src/index.js';
import { lower } from '../src/lowering/lower.js';

const [batch, heads, keyValueHeads, places] = [2, 4, 2, 12];
const tokenAxes = ['batch', 'token', 'width'];
const cacheAxes = ['batch', 'keyValueHead', 'place', 'headSize'];

function decodeStep(headSize: number, time: number): Graph {
  const query = input('query', 'float32', ['batch', 'token', 'width'], [batch, time, heads * headSize]);
  const fresh = (name: string) =>
    input(name, 'float32', ['batch', 'token', 'keyWidth'], [batch, time, keyValueHeads * headSize]);
  const cache = (name: string) =>
    input(name, 'float32', ['batch', 'keyValueHead', 'place', 'headSize'], [batch, keyValueHeads, places, headSize]);
  const [key, value, keys, values] = [fresh('key'), fresh('value'), cache('keys'), cache('values')];
  const lengths = input('lengths', 'int32', ['batch'], [batch]);
  const result = cachedAttention(query, key, value, { keys, values }, lengths, { heads, keyValueHeads });
  return graph([query, key, value, keys, values, lengths], {
    mixed: result.mixed,
    keys_next: result.keys,
    values_next: result.values,
  });
}

function normal(name: string, axes: readonly string[], shape: readonly number[]): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return new Tensor('float32', axes, shape, Random.fromSeed(5).split(name).normal(size)) as Tensor;
}

/** Token `at` of `[batch, token, width]`. */
function tokenOf(tensor: Tensor, at: number, axes: readonly string[]): Tensor {
  const width = tensor.shape[2]!;
  const data = new Float32Array(batch * width);
  for (let row = 0; row < batch; row++) {
    const start = (row * tensor.shape[1]! + at) * width;
    data.set((tensor.data as Float32Array).subarray(start, start + width), row * width);
  }
  return new Tensor('float32', axes, [batch, 1, width], data) as Tensor;
}

describe.each([16, 8])('a cache of keys and values, head size %d', (headSize) => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ intraOpThreads: 2 });
  });
  afterAll(() => runtime.dispose());

  it('gives token by token, in place, what causal attention gives at once', async () => {
    const steps = 9;
    const query = normal('query', tokenAxes, [batch, steps, heads * headSize]);
    const keyAxes = ['batch', 'token', 'keyWidth'];
    const [key, value] = ['key', 'value'].map((name) =>
      normal(name, keyAxes, [batch, steps, keyValueHeads * headSize]),
    );
    const q = input('query', 'float32', ['batch', 'token', 'width'], [batch, steps, heads * headSize]);
    const side = (name: string) =>
      input(name, 'float32', ['batch', 'place', 'keyWidth'], [batch, steps, keyValueHeads * headSize]);
    const [k, v] = [side('key'), side('value')];
    const whole = await runtime.compile(
      graph([q, k, v], { mixed: attention(q, k, v, { heads, keyValueHeads, causal: true }) }),
    );
    const asPlaces = (tensor: Tensor): Tensor =>
      new Tensor('float32', ['batch', 'place', 'keyWidth'], tensor.shape, tensor.data as Float32Array) as Tensor;
    const wanted = (await whole.run({ query, key: asPlaces(key!), value: asPlaces(value!) }))['mixed']!.readSync();

    const program = await runtime.compile(decodeStep(headSize, 1));
    const empty = (): Tensor => new Tensor('float32', cacheAxes, [batch, keyValueHeads, places, headSize]) as Tensor;
    const [keys, values] = [runtime.value(empty()), runtime.value(empty())];
    const memory = keys.memory;
    for (let at = 0; at < steps; at++) {
      const feeds = {
        query: tokenOf(query, at, tokenAxes),
        key: tokenOf(key!, at, keyAxes),
        value: tokenOf(value!, at, keyAxes),
        keys,
        values,
        lengths: new Tensor('int32', ['batch'], [batch], new Int32Array(batch).fill(at)) as Tensor,
      };
      const results = await program.run(feeds, { into: { keys_next: keys, values_next: values } });
      expect(results['keys_next']).toBe(keys);
      // Where the fused operator takes no such heads, the caches go back and forth between two memories.
      expect(keys.memory === memory).toBe(headSize % 16 === 0 || at % 2 === 1);
      const mixed = results['mixed']!.readSync().data as Float32Array;
      const expected = tokenOf(wanted, at, tokenAxes).data as Float32Array;
      mixed.forEach((number, index) => expect(number).toBeCloseTo(expected[index]!, 5));
    }
    await Promise.all([whole.dispose(), program.dispose()]);
  });

  it.each([
    { held: false },
    { held: true },
    { held: false, window: 3 },
    { held: true, window: 3 },
    { held: false, softCap: 0.8 },
    { held: true, softCap: 0.8 },
  ])('reads prompts of any length, with nothing cached, as the reference does: %o', async ({ held, ...more }) => {
    const [users, time, room] = [symbol('users'), symbol('time'), symbol('room')];
    const query = input('query', 'float32', ['batch', 'token', 'width'], [users, time, heads * headSize]);
    const [key, value] = ['key', 'value'].map((name) =>
      input(name, 'float32', ['batch', 'token', 'keyWidth'], [users, time, keyValueHeads * headSize]),
    );
    const shape = [users, keyValueHeads, room, headSize] as const;
    const empty = input('empty', 'float32', ['batch', 'keyValueHead', 'place', 'headSize'], shape);
    const zero = constant(new Tensor('int32', [], [], new Int32Array(1)));
    const lengths = broadcastLike(zero, range('batch', users));
    const caches = { keys: empty, values: empty };
    const read = cachedAttention(query, key!, value!, caches, lengths, { heads, keyValueHeads, ...more });
    const plain = graph([query, key!, value!, empty], { ...read });
    const source = held ? holdScores(plain) : plain;
    const fused = lower(source).nodes.some(({ op }) => op === 'GroupQueryAttention');
    expect(fused).toBe(headSize % 16 === 0);
    const program = await runtime.compile(source);
    for (const [rows, tokens, free] of [
      [1, 1, 1],
      [2, 7, 9],
      [3, 70, 70],
    ] as const) {
      const feeds = {
        query: normal('query', tokenAxes, [rows, tokens, heads * headSize]),
        key: normal('key', ['batch', 'token', 'keyWidth'], [rows, tokens, keyValueHeads * headSize]),
        value: normal('value', ['batch', 'token', 'keyWidth'], [rows, tokens, keyValueHeads * headSize]),
        empty: new Tensor('float32', cacheAxes, [rows, keyValueHeads, free, headSize]) as Tensor,
      };
      const arrays = Object.entries(feeds).map(([name, tensor]) => [name, toReference(tensor)] as const);
      const wanted = evaluate(source, Object.fromEntries(arrays));
      const results = await program.run(feeds);
      for (const [name, { shape: whole, data }] of Object.entries(wanted)) {
        const got = results[name]!.readSync();
        expect(got.shape).toEqual(whole);
        const farthest = (got.data as Float32Array).reduce(
          (most, number, at) => Math.max(most, Math.abs(number - data[at]!)),
          0,
        );
        expect(farthest).toBeLessThan(1e-5);
      }
    }
    await program.dispose();
  });
});

/** A token's queries, keys and values by one product, turned and read; `more` is read of it besides. */
function packedStep(headSize: number, more?: 'query', pairs = headSize / 2): Graph {
  const sizes = [heads * headSize, keyValueHeads * headSize, keyValueHeads * headSize];
  const width = sizes.reduce((a, b) => a + b);
  const x = input('x', 'float32', ['batch', 'token', 'width'], [batch, 1, width]);
  const [query, key, value] = split(add(x, x), 'width', sizes) as [typeof x, typeof x, typeof x];
  const cache = (name: string) =>
    input(name, 'float32', ['batch', 'keyValueHead', 'place', 'headSize'], [batch, keyValueHeads, places, headSize]);
  const caches = { keys: cache('keys'), values: cache('values') };
  const lengths = input('lengths', 'int32', ['batch'], [batch]);
  const rotary = rotaryTables(places, { frequencies: rotaryFrequencies(2 * pairs) });
  const read = cachedAttention(query, key, value, caches, lengths, { heads, keyValueHeads, rotary });
  return graph([x, caches.keys, caches.values, lengths], {
    mixed: read.mixed,
    keys_next: read.keys,
    values_next: read.values,
    ...(more && { query }),
  });
}

it('is in place where only some pairs of a head are turned, fewer than ONNX Runtime turns by itself', async () => {
  const runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  const source = packedStep(16, undefined, 4);
  const cacheShape = [batch, keyValueHeads, places, 16];
  const keys = normal('keys', cacheAxes, cacheShape);
  const values = normal('values', cacheAxes, cacheShape);
  const feeds = {
    x: normal('x', tokenAxes, [batch, 1, (heads + 2 * keyValueHeads) * 16]),
    lengths: new Tensor('int32', ['batch'], [batch], Int32Array.of(3, 7)) as Tensor,
  };
  const arrays = Object.entries({ ...feeds, keys, values }).map(
    ([name, tensor]) => [name, toReference(tensor)] as const,
  );
  const wanted = evaluate(source, Object.fromEntries(arrays))['mixed']!;
  const kept = { keys: runtime.value(keys), values: runtime.value(values) };
  const memory = kept.keys.memory;
  const program = await runtime.compile(source);
  const into = { keys_next: kept.keys, values_next: kept.values };
  const got = (await program.run({ ...feeds, ...kept }, { into }))['mixed']!.readSync().data as Float32Array;
  wanted.data.forEach((number, at) => expect(got[at]).toBeCloseTo(number, 4));
  expect(kept.keys.memory).toBe(memory);
  await program.dispose();
  await runtime.dispose();
});

describe('queries, keys and values side by side', () => {
  const operatorsOf = (source: Graph): string[] => lower(source).nodes.map(({ op }) => op);

  it('are read where they are, but for what something else reads', () => {
    expect(operatorsOf(packedStep(16))).not.toContain('Split');
    expect(operatorsOf(packedStep(16))).toContain('GroupQueryAttention');
    expect(operatorsOf(packedStep(16, 'query'))).toContain('Split');
    expect(operatorsOf(packedStep(8))).toContain('Split');
  });

  it.each([16, 32])('come to what the reference makes of them, head size %d', async (headSize) => {
    const runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
    const source = packedStep(headSize);
    const cacheShape = [batch, keyValueHeads, places, headSize];
    const feeds = {
      x: normal('x', tokenAxes, [batch, 1, (heads + 2 * keyValueHeads) * headSize]),
      keys: normal('keys', cacheAxes, cacheShape),
      values: normal('values', cacheAxes, cacheShape),
      lengths: new Tensor('int32', ['batch'], [batch], Int32Array.of(3, 7)) as Tensor,
    };
    const arrays = Object.entries(feeds).map(([name, tensor]) => [name, toReference(tensor)] as const);
    const wanted = evaluate(source, Object.fromEntries(arrays))['mixed']!;
    const program = await runtime.compile(source);
    const got = (await program.run(feeds))['mixed']!.readSync().data as Float32Array;
    expect(got).toHaveLength(wanted.data.length);
    wanted.data.forEach((number, at) => expect(got[at]).toBeCloseTo(number, 4));
    await program.dispose();
    await runtime.dispose();
  });
});

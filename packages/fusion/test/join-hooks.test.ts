import { add, input, multiply } from '@user-llm/graph';
import type { HiddenStates, LanguageModelHooks } from '@user-llm/plugin';
import { expect, it } from 'vitest';
import { joinHooks } from '../src/index.js';
import { numbers, random, run } from './support.js';

const axes = ['batch', 'token', 'modelWidth'] as const;
const a: HiddenStates = input('a', 'float32', axes, [1, 2, 3]);
const b: HiddenStates = input('b', 'float32', axes, [1, 1, 3]);
const feeds = { a: random(axes, [1, 2, 3], 1), b: random(axes, [1, 1, 3], 2) };

const adding: LanguageModelHooks = {
  prefix: a,
  afterSelfAttention: (hidden, layer) => add(hidden, layer),
  linear: (_, _x, mapped) => add(mapped, 1),
};
const doubling: LanguageModelHooks = {
  prefix: b,
  afterSelfAttention: (hidden) => multiply(hidden, 2),
  linear: (_, _x, mapped) => multiply(mapped, 2),
};

it('chains functions in their order and puts prefixes side by side', () => {
  const joined = joinHooks(adding, undefined, doubling);
  const outputs = {
    prefix: joined.prefix!,
    after: joined.afterSelfAttention!(a, 5),
    linear: joined.linear!('map', a, a),
  };
  const got = run([a, b], outputs, feeds);
  const values = numbers(feeds.a);
  expect(got['prefix']).toEqual([...values, ...numbers(feeds.b)]);
  expect(got['after']).toEqual(values.map((value) => (value + 5) * 2));
  expect(got['linear']).toEqual(values.map((value) => (value + 1) * 2));
});

it('has only the hooks that it was given', () => {
  expect(joinHooks()).toEqual({});
  expect(joinHooks(undefined, { prefix: a })).toEqual({ prefix: a });
  expect(Object.keys(joinHooks({ linear: doubling.linear! }))).toEqual(['linear']);
});

import { expect, it } from 'vitest';
import { stableJson } from '../src/index.js';

it('is the same for equal values, whatever the order of their keys', () => {
  const text = stableJson({ b: [{ d: 1, c: null }], a: 'x', none: undefined });
  expect(text).toBe('{"a":"x","b":[{"c":null,"d":1}]}');
  expect(stableJson({ a: 'x', b: [{ c: null, d: 1 }] })).toBe(text);
  expect(stableJson({ a: 'x', b: [{ c: null, d: 2 }] })).not.toBe(text);
  expect(stableJson([2, 1, undefined])).toBe('[2,1,null]');
});

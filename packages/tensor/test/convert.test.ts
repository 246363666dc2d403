import { describe, expect, it } from 'vitest';
import { equal, maxDifference } from '../src/compare.js';
import { dtypes } from '../src/dtype.js';
import { full, scalar, tensor, zeros } from '../src/factories.js';

describe('cast', () => {
  it.each(dtypes.flatMap((from) => dtypes.map((to) => [from, to] as const)))(
    'takes 0, 1 from %s to %s and back',
    (from, to) => {
      const start = tensor(
        'uint8',
        ['a', 'b'],
        [
          [0, 1, 1],
          [1, 0, 0],
        ],
      )
        .cast(from)
        .transpose('a', 'b');
      const there = start.cast(to);
      expect(there.dtype).toBe(to);
      expect(there.shape).toEqual([3, 2]);
      expect(equal(there.cast(from), start)).toBe(true);
      expect(maxDifference(there, start)).toBe(0);
    },
  );

  it('cuts reals towards zero', () => {
    const reals = tensor('float64', ['a'], [-1.9, -0.5, 0.5, 1.9, 127.9, -128.9]);
    expect(reals.cast('int8').toArray()).toEqual([-1, 0, 0, 1, 127, -128]);
    expect(reals.cast('int32').toArray()).toEqual([-1, 0, 0, 1, 127, -128]);
    expect(reals.cast('int64').toArray()).toEqual([-1n, 0n, 0n, 1n, 127n, -128n]);
    expect(reals.cast('bool').toArray()).toEqual([true, true, true, true, true, true]);
  });

  it('rounds to float32, float16 and bfloat16', () => {
    const third = scalar('float64', 1 / 3);
    expect(third.cast('float32').at()).toBe(Math.fround(1 / 3));
    expect(third.cast('float16').at()).toBe(0.333251953125);
    expect(third.cast('bfloat16').at()).toBe(0.333984375);
    expect(third.cast('bfloat16').cast('float32').at()).toBe(0.333984375);
  });

  it.each([
    ['float32', NaN, 'int32'],
    ['float32', Infinity, 'int64'],
    ['float64', 2 ** 31, 'int32'],
    ['float64', -(2 ** 31) - 1, 'int32'],
    ['float64', 2 ** 63, 'int64'],
    ['float32', -1, 'uint8'],
    ['float32', 256, 'uint8'],
    ['int32', 128, 'int8'],
    ['int64', 2 ** 31, 'int32'],
    ['float16', NaN, 'uint8'],
  ] as const)('refuses %s %d as %s', (from, value, to) => {
    const start = full(from, ['a'], [3], value);
    expect(() => start.cast(to)).toThrow(expect.objectContaining({ code: 'out-of-range' }) as Error);
  });

  it('keeps int64 exact beyond 2^53', () => {
    const ids = tensor('int64', ['a'], [2n ** 53n + 1n, -(2n ** 63n), 5]);
    expect(ids.toArray()).toEqual([2n ** 53n + 1n, -(2n ** 63n), 5n]);
    expect(ids.cast('float64').toArray()).toEqual([2 ** 53, -(2 ** 63), 5]);
    expect(ids.slice('a', 2).cast('int32').toArray()).toEqual([5]);
  });

  it('is the tensor itself for its own dtype, and works on nothing', () => {
    const start = zeros('float32', ['a'], [0]);
    expect(start.cast('float32')).toBe(start);
    expect(start.cast('int64').size).toBe(0);
  });
});

describe('what a dtype cannot hold', () => {
  it.each([
    ['int32', 1.5],
    ['int8', 200],
    ['uint8', -1],
    ['int64', 2n ** 63n],
    ['int64', 0.5],
    ['int32', NaN],
  ] as const)('%s %d is refused', (dtype, value) => {
    expect(() => scalar(dtype, value as number)).toThrow(expect.objectContaining({ code: 'out-of-range' }) as Error);
  });
});

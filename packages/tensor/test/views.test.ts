import { describe, expect, it } from 'vitest';
import { tensor } from '../src/factories.js';
import { Tensor } from '../src/tensor.js';

const ratings = tensor(
  'float32',
  ['user', 'item', 'time'],
  [
    [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10, 11, 12],
    ],
    [
      [13, 14, 15, 16],
      [17, 18, 19, 20],
      [21, 22, 23, 24],
    ],
  ],
);

describe('views', () => {
  it('permutes by name without a copy', () => {
    const turned = ratings.permute(['time', 'user', 'item']);
    expect(turned.shape).toEqual([4, 2, 3]);
    expect(turned.data).toBe(ratings.data);
    expect(turned.at(3, 1, 0)).toBe(16);
    expect(turned.contiguous().toNested()).toEqual(turned.toNested());
    expect(turned.select('time', 1).toNested()).toEqual([
      [2, 6, 10],
      [14, 18, 22],
    ]);
  });

  it('slices', () => {
    const part = ratings.slice('time', 1, 4, 2);
    expect(part.toArray()).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24]);
    expect(part.reshape(['all'], [-1]).toArray()).toEqual(part.toArray());
    expect(ratings.reshape(['user', 'rest'], [2, -1]).data).toBe(ratings.data);
  });

  it('prints', () => {
    expect(String(ratings.select('user', 0).slice('item', 0, 2))).toBe(
      'float32 [item: 2, time: 4] [[1, 2, 3, 4],\n [5, 6, 7, 8]]',
    );
    expect(() => new Tensor('float32', ['a'], [2], new Float32Array(2), { strides: [-1] })).toThrow(/bad|view/);
  });
});

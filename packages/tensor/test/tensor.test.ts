import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equal, maxDifference } from '../src/compare.js';
import { dtypes, typedArrayName, viewBytes } from '../src/dtype.js';
import { full, ids, scalar, tensor, zeros } from '../src/factories.js';
import { checkPlacement } from '../src/layout.js';
import { Tensor } from '../src/tensor.js';

const thrown = (code: string) => expect.objectContaining({ code, name: 'UserLlmError' }) as Error;

describe('a tensor', () => {
  it('holds every dtype in its typed array', () => {
    for (const dtype of dtypes) {
      const made = new Tensor(dtype, ['a', 'b'], [2, 3]);
      expect(made.data.constructor.name).toBe(typedArrayName(dtype));
      expect([made.size, made.strides, made.offset]).toEqual([6, [3, 1], 0]);
    }
  });

  it('keeps its own copy of the shape and shares the data', () => {
    const shape = [2];
    const data = new Float32Array([1, 2]);
    const made = new Tensor('float32', ['a'], shape, data);
    shape[0] = 3;
    data[0] = 5;
    expect(made.shape).toEqual([2]);
    expect(made.at(0)).toBe(5);
  });

  it.each<[string, string, () => unknown]>([
    ['bad-shape', 'too little data', () => new Tensor('float32', ['a'], [2], new Float32Array(1))],
    ['bad-shape', 'too much data', () => new Tensor('float32', ['a'], [2], new Float32Array(3))],
    ['bad-shape', 'a name too many', () => zeros('float32', ['a', 'b'], [2])],
    ['bad-shape', 'a name twice', () => zeros('float32', ['a', 'a'], [2, 2])],
    ['bad-shape', 'no names', () => new Tensor('float32', undefined as never, [2])],
    ['bad-shape', 'no shape', () => new Tensor('float32', ['a'], undefined as never)],
    ['bad-shape', 'a negative size', () => zeros('float32', ['a'], [-1])],
    ['bad-shape', 'a fractional size', () => zeros('float32', ['a'], [1.5])],
    ['bad-shape', 'too many elements to count', () => zeros('float32', ['a', 'b'], [2 ** 40, 2 ** 40])],
    [
      'dtype-mismatch',
      'the array of another dtype',
      () => new Tensor('float32', ['a'], [2], new Float64Array(2) as never),
    ],
    ['unknown-dtype', 'a dtype that is none', () => zeros('float8' as 'float32', ['a'], [2])],
    ['unknown-dtype', 'a dtype of Object.prototype', () => zeros('toString' as 'float32', ['a'], [2])],
    ['too-large', 'more than memory can hold', () => zeros('float64', ['a'], [2 ** 50])],
    ['dtype-mismatch', 'a plain list', () => new Tensor('float32', ['a'], [2], [1, 2] as never)],
  ])('%s: %s is refused', (code, _, act) => {
    expect(act).toThrow(thrown(code));
  });

  it.each([
    ['a stride backwards over the start', [3], { strides: [-1] }],
    ['a stride backwards just over the start', [3], { strides: [-1], offset: 1 }],
    ['a stride over the end', [3], { strides: [4] }],
    ['an offset too large', [3], { offset: 4 }],
    ['a negative offset', [3], { strides: [1], offset: -1 }],
    ['a negative offset of nothing', [0], { strides: [1], offset: -1 }],
    ['a fractional stride', [3], { strides: [0.5] }],
    ['a stride that is NaN', [3], { strides: [NaN] }],
    ['a stride too many', [3], { strides: [1, 1] }],
    ['strides that meet beyond the end', [2, 2], { strides: [4, 2] }],
  ])('refuses %s', (_, shape, layout) => {
    const axes = ['a', 'b'].slice(0, shape.length);
    expect(() => new Tensor('float32', axes, shape, new Float32Array(6), layout)).toThrow(thrown('bad-layout'));
  });

  it('allows just those layouts that stay inside, for all small ones', () => {
    const small = fc.record({
      shape: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 2 }),
      strides: fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 2, maxLength: 2 }),
      offset: fc.nat(12),
      length: fc.nat(12),
    });
    fc.assert(
      fc.property(small, ({ shape, strides, offset, length }) => {
        const reached = [0, 1, 2].flatMap((row) =>
          [0, 1, 2]
            .filter((column) => row < shape[0]! && column < shape[1]!)
            .map((column) => offset + row * strides[0]! + column * strides[1]!),
        );
        const check = () => checkPlacement('tensor', { shape, strides, offset }, length);
        if (reached.every((index) => index >= 0 && index < length)) {
          check();
        } else {
          expect(check).toThrow(thrown('bad-layout'));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('reads backwards with a negative stride', () => {
    const back = new Tensor('float32', ['a'], [3], new Float32Array([1, 2, 3]), { strides: [-1], offset: 2 });
    expect(back.toArray()).toEqual([3, 2, 1]);
    expect(back.isDense).toBe(false);
    expect([...back.contiguous().data]).toEqual([3, 2, 1]);
  });
});

describe('factories', () => {
  it('take arrays in arrays', () => {
    expect(
      tensor(
        'int32',
        ['a', 'b'],
        [
          [1, 2],
          [3, 4],
        ],
      ).toNested(),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(tensor('bool', ['a'], [true, false]).toNested()).toEqual([true, false]);
    expect(tensor('int64', ['a'], [1, 2n]).toNested()).toEqual([1n, 2n]);
    expect(tensor('float16', [], 0.1).at()).toBe(0.0999755859375);
    expect(tensor('float32', ['a', 'b', 'c'], [[], []]).shape).toEqual([2, 0, 0]);
    expect(tensor('float32', ['a', 'b'], []).shape).toEqual([0, 0]);
    expect(full('bfloat16', ['a'], [2], 3).toArray()).toEqual([3, 3]);
    expect(full('int64', ['a'], [2], 3n).toArray()).toEqual([3n, 3n]);
    expect(scalar('bool', true).at()).toBe(true);
    expect(ids('item', ['event'], [3, 0]).data).toEqual(new Int32Array([3, 0]));
  });

  it.each<[string, string, () => unknown]>([
    ['bad-shape', 'rows of differing lengths', () => tensor('float32', ['a', 'b'], [[1, 2], [3]])],
    ['bad-shape', 'a row too deep', () => tensor('float32', ['a', 'b'], [[1], [[2]]])],
    ['bad-shape', 'a row that is a number', () => tensor('float32', ['a', 'b'], [[1], 2])],
    ['bad-shape', 'a level too few', () => tensor('float32', ['a', 'b'], [1, 2])],
    ['bad-shape', 'a level too many', () => tensor('float32', ['a'], [[1], [2]])],
    ['bad-shape', 'a list as a scalar', () => tensor('float32', [], [1])],
    ['out-of-range', 'a negative id', () => ids('item', ['event'], [1, -1])],
    ['out-of-range', 'half an id', () => ids('item', ['event'], [0.5])],
    ['out-of-range', 'a filling that does not fit', () => full('uint8', ['a'], [2], 256)],
  ])('%s: %s is refused', (code, _, act) => {
    expect(act).toThrow(thrown(code));
  });
});

describe('equal', () => {
  const one = tensor(
    'float32',
    ['a', 'b'],
    [
      [1, NaN],
      [-0, 4],
    ],
  );
  it('is for "bit for bit", whatever the layout', () => {
    expect(equal(one, one.copy())).toBe(true);
    expect(equal(one, one.transpose('a', 'b').contiguous().transpose('a', 'b'))).toBe(true);
    expect(
      equal(
        one,
        tensor(
          'float32',
          ['a', 'b'],
          [
            [1, NaN],
            [0, 4],
          ],
        ),
      ),
    ).toBe(false);
    expect(equal(one, one.cast('float64'))).toBe(false);
    expect(equal(one, one.rename('a', 'c'))).toBe(false);
    expect(equal(one, one.slice('b', 1))).toBe(false);
    expect(equal(one, one.select('b', 1))).toBe(false);
  });
});

describe('maxDifference', () => {
  const of = (...values: number[]) => tensor('float64', ['a'], values);
  it('is the largest absolute difference', () => {
    expect(maxDifference(of(1, 2, 3), of(1, 2.5, 2.75))).toBe(0.5);
    expect(maxDifference(of(1, 2), of(1, 2).cast('float32'))).toBe(0);
    expect(maxDifference(of(), of())).toBe(0);
    expect(maxDifference(tensor('int64', ['a'], [2n ** 62n]), tensor('int64', ['a'], [2n ** 62n - 3n]))).toBe(3);
    expect(maxDifference(tensor('bool', ['a'], [true]), of(0))).toBe(1);
  });

  it('counts NaN and infinity where only one of the two has them', () => {
    expect(maxDifference(of(NaN, Infinity, -0), of(NaN, Infinity, 0))).toBe(0);
    expect(maxDifference(of(NaN, 0), of(0, 0))).toBe(Infinity);
    expect(maxDifference(of(Infinity), of(-Infinity))).toBe(Infinity);
    expect(maxDifference(of(1), of(Infinity))).toBe(Infinity);
  });

  it('needs the same axes and sizes', () => {
    expect(() => maxDifference(of(1), of(1, 2))).toThrow(thrown('shape-mismatch'));
    expect(() => maxDifference(of(1), of(1).rename('a', 'b'))).toThrow(thrown('shape-mismatch'));
  });
});

describe('toString', () => {
  it('shows dtype, axes and elements', () => {
    expect(
      String(
        tensor(
          'float32',
          ['batch', 'event'],
          [
            [1, 0.1],
            [NaN, -2],
          ],
        ),
      ),
    ).toMatchInlineSnapshot(`
      "float32 [batch: 2, event: 2]
      [[1, 0.1],
       [NaN, -2]]"
    `);
    expect(String(scalar('int64', 5n))).toMatchInlineSnapshot(`"int64 [] 5"`);
    expect(String(tensor('bool', ['a'], []))).toMatchInlineSnapshot(`"bool [a: 0] []"`);
    expect(inspect(tensor('bool', ['a'], [true]))).toBe('Tensor bool [a: 1] [true]');
  });

  it('leaves the middle of long axes out', () => {
    const counted = new Tensor(
      'int32',
      ['row', 'column'],
      [100, 100],
      Int32Array.from({ length: 10_000 }, (_, at) => at),
    );
    expect(`\n${String(counted)}`).toMatchInlineSnapshot(`
      "
      int32 [row: 100, column: 100]
      [[0, 1, 2, ..., 97, 98, 99],
       [100, 101, 102, ..., 197, 198, 199],
       [200, 201, 202, ..., 297, 298, 299],
       ...,
       [9700, 9701, 9702, ..., 9797, 9798, 9799],
       [9800, 9801, 9802, ..., 9897, 9898, 9899],
       [9900, 9901, 9902, ..., 9997, 9998, 9999]]"
    `);
  });
});

describe('viewBytes', () => {
  it('shares memory, and refuses what is not aligned', () => {
    const bytes = new Uint8Array(16);
    viewBytes('float32', bytes.buffer, 4, 1)[0] = 1;
    expect(bytes[7]).toBe(0x3f);
    expect(() => viewBytes('float32', bytes.buffer, 2, 1)).toThrow(thrown('misaligned'));
    expect(() => viewBytes('float32', bytes.buffer, 8, 3)).toThrow(thrown('out-of-range'));
    expect(() => viewBytes('float32', bytes.buffer, -4, 1)).toThrow(thrown('out-of-range'));
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { equal } from '../src/compare.js';
import { tensor, zeros } from '../src/factories.js';
import { elements } from '../src/layout.js';
import { Tensor } from '../src/tensor.js';

const axisNames = ['batch', 'event', 'latent', 'token', 'width'];

/** A dense tensor of up to five axes whose elements are all different. */
const anyTensor = fc.array(fc.nat(4), { maxLength: 5 }).map((shape): Tensor<'int32'> => {
  const data = Int32Array.from({ length: elements(shape) }, (_, index) => index);
  return new Tensor('int32', axisNames.slice(0, shape.length), shape, data);
});

/** A view of such a tensor, after any moves. */
const anyView = fc
  .tuple(anyTensor, fc.array(fc.tuple(fc.nat(3), fc.nat(), fc.nat()), { maxLength: 4 }))
  .map(([start, moves]): Tensor<'int32'> =>
    moves.reduce((view, [kind, first, second]) => {
      if (view.axes.length === 0) {
        return view;
      }
      const [one, other] = [first, second].map((number) => view.axes[number % view.axes.length]!) as [string, string];
      const size = view.sizeOf(one);
      switch (kind) {
        case 0:
          return view.transpose(one, other);
        case 1:
          return view.slice(one, Math.min(size, second % 3), size, 1 + (first % 2));
        case 2:
          return size === 0 ? view : view.select(one, second % size);
        default:
          return view.axes.includes('repeated') ? view : view.broadcast(['repeated', ...view.axes], [2, ...view.shape]);
      }
    }, start),
  );

/** Every index of a shape, in row-major order. */
function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (prefixes, size) => prefixes.flatMap((prefix) => Array.from({ length: size }, (_, index) => [...prefix, index])),
    [[]],
  );
}

/** The elements one by one, by `at` alone. */
function byIndex(view: Tensor): unknown[] {
  return indices(view.shape).map((index) => view.at(...index));
}

function flattened(nested: unknown): unknown[] {
  return Array.isArray(nested) ? nested.flatMap(flattened) : [nested];
}

describe('views hold the right elements', () => {
  it('in any order of axes, without a copy', () => {
    fc.assert(
      fc.property(anyTensor, fc.infiniteStream(fc.nat()), (start, random) => {
        const order = start.axes
          .map((axis) => ({ axis, rank: random.next().value as number }))
          .sort((a, b) => a.rank - b.rank);
        const view = start.permute(order.map(({ axis }) => axis));
        expect(view.data).toBe(start.data);
        for (const index of indices(start.shape)) {
          const moved = view.axes.map((axis) => index[start.axes.indexOf(axis)]!);
          expect(view.at(...moved)).toBe(start.at(...index));
        }
      }),
    );
  });

  it('sliced with any bounds and step', () => {
    fc.assert(
      fc.property(
        anyTensor,
        fc.nat(),
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 1, max: 4 }),
        (start, at, from, to, step) => {
          fc.pre(start.axes.length > 0);
          const axis = start.axes[at % start.axes.length]!;
          const size = start.sizeOf(axis);
          const [first, last] = [from % (size + 1), to % (size + 1)].sort((a, b) => a - b) as [number, number];
          const view = start.slice(axis, first, last, step);
          const kept = Array.from({ length: size }, (_, index) => index)
            .slice(first, last)
            .filter((_, index) => index % step === 0);
          expect(view.sizeOf(axis)).toBe(kept.length);
          expect(view.data).toBe(start.data);
          const where = start.axes.indexOf(axis);
          expect(byIndex(view)).toEqual(
            indices(start.shape)
              .filter((index) => kept.includes(index[where]!))
              .map((index) => start.at(...index)),
          );
        },
      ),
    );
  });

  it('selected at any index', () => {
    fc.assert(
      fc.property(anyTensor, fc.nat(), fc.nat(), (start, at, chosen) => {
        fc.pre(start.size > 0 && start.axes.length > 0);
        const axis = start.axes[at % start.axes.length]!;
        const index = chosen % start.sizeOf(axis);
        const expected = start.slice(axis, index, index + 1).toArray();
        const view = start.select(axis, index);
        expect(view.axes).toEqual(start.axes.filter((name) => name !== axis));
        expect(view.toArray()).toEqual(expected);
      }),
    );
  });

  it('however they came about: copies and lists agree with at()', () => {
    fc.assert(
      fc.property(anyView, (view) => {
        const expected = byIndex(view);
        expect(view.toArray()).toEqual(expected);
        expect(flattened(view.toNested())).toEqual(expected);
        const contiguous = view.contiguous();
        expect([...contiguous.data]).toEqual(expected);
        expect(contiguous.shape).toEqual(view.shape);
        expect(view.copy().data.buffer).not.toBe(view.data.buffer);
        expect(equal(view.copy(), view)).toBe(true);
        expect(view.reshape(['all'], [-1]).toArray()).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe('reshape', () => {
  const matrix = tensor(
    'float32',
    ['row', 'column'],
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  );
  it('is a view of what is dense, a copy of what is not', () => {
    expect(matrix.reshape(['column', 'row'], [3, 2]).data).toBe(matrix.data);
    expect(matrix.slice('row', 1).reshape(['all'], [3]).data).toBe(matrix.data);
    expect(matrix.slice('row', 1).reshape(['all'], [3]).toArray()).toEqual([4, 5, 6]);
    const turned = matrix.transpose('row', 'column').reshape(['all'], [6]);
    expect(turned.data).not.toBe(matrix.data);
    expect(turned.toArray()).toEqual([1, 4, 2, 5, 3, 6]);
  });

  it('infers one size', () => {
    expect(matrix.reshape(['a', 'b', 'c'], [3, -1, 2]).shape).toEqual([3, 1, 2]);
    expect(zeros('float32', ['a', 'b'], [0, 4]).reshape(['c', 'd'], [-1, 4]).shape).toEqual([0, 4]);
    expect(tensor('float32', ['a'], [5]).reshape([], []).toNested()).toBe(5);
  });
});

describe('broadcast', () => {
  it('repeats new axes and axes of size 1, by name, without a copy', () => {
    const row = tensor('float32', ['one', 'column'], [[1, 2, 3]]);
    const wide = row.broadcast(['column', 'batch', 'one'], [3, 2, 2]);
    expect(wide.data).toBe(row.data);
    expect(wide.toNested()).toEqual([
      [
        [1, 1],
        [1, 1],
      ],
      [
        [2, 2],
        [2, 2],
      ],
      [
        [3, 3],
        [3, 3],
      ],
    ]);
    expect(tensor('float32', [], 4).broadcast(['a'], [3]).toArray()).toEqual([4, 4, 4]);
    expect(row.broadcast(['one', 'column'], [0, 3]).toNested()).toEqual([]);
  });
});

describe('contiguous', () => {
  it('copies nothing that lies in order already', () => {
    const matrix = tensor(
      'float32',
      ['row', 'column'],
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    );
    expect(matrix.contiguous()).toBe(matrix);
    const row = matrix.select('row', 1).contiguous();
    expect(row.data).toHaveLength(3);
    expect(row.data.buffer).toBe(matrix.data.buffer);
    row.data[0] = 9;
    expect(matrix.at(1, 0)).toBe(9);
  });
});

describe('wrong views are refused', () => {
  const matrix = zeros('float32', ['row', 'column'], [2, 3]);
  const loose: Tensor = matrix;
  it.each<[string, string, () => unknown]>([
    ['unknown-axis', 'a name that is not there', () => loose.select('depth', 0)],
    ['unknown-axis', 'two names, one not there', () => loose.transpose('row', 'depth')],
    ['unknown-axis', 'a permutation with another name', () => loose.permute(['row', 'depth'])],
    ['bad-shape', 'a permutation with a name missing', () => loose.permute(['row'])],
    ['bad-shape', 'a permutation with a name twice', () => loose.permute(['row', 'row'])],
    ['bad-shape', 'a rename to a name that is there', () => matrix.rename('row', 'column')],
    ['out-of-range', 'an index too large', () => matrix.select('row', 2)],
    ['out-of-range', 'a negative index', () => matrix.select('row', -1)],
    ['out-of-range', 'a fractional index', () => matrix.select('row', 0.5)],
    ['out-of-range', 'an index of an empty axis', () => matrix.slice('row', 1, 1).select('row', 0)],
    ['out-of-range', 'a start beyond the end', () => matrix.slice('row', 3)],
    ['out-of-range', 'an end before the start', () => matrix.slice('column', 2, 1)],
    ['out-of-range', 'an end beyond the end', () => matrix.slice('column', 0, 4)],
    ['out-of-range', 'a step of 0', () => matrix.slice('column', 0, 3, 0)],
    ['out-of-range', 'an element that is not there', () => matrix.at(1, 3)],
    ['bad-shape', 'an index too few', () => loose.at(1)],
    ['bad-shape', 'a reshape to more', () => matrix.reshape(['all'], [7])],
    ['bad-shape', 'a reshape to what does not divide', () => matrix.reshape(['a', 'b'], [4, -1])],
    ['bad-shape', 'a reshape with two sizes open', () => matrix.reshape(['a', 'b'], [-1, -1])],
    ['bad-shape', 'a reshape with names missing', () => matrix.reshape(['a'], [2, 3])],
    ['bad-shape', 'an open size of nothing', () => matrix.slice('row', 0, 0).reshape(['a', 'b'], [0, -1])],
    ['bad-shape', 'a broadcast of a size other than 1', () => matrix.broadcast(['row', 'column'], [4, 3])],
    ['bad-shape', 'a broadcast that loses an axis', () => loose.broadcast(['row'], [2])],
  ])('%s: %s', (code, _, act) => {
    expect(act).toThrow(expect.objectContaining({ code, name: 'UserLlmError' }) as Error);
  });
});

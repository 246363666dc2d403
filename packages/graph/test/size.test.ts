import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addSizes,
  bindShape,
  evaluateSize,
  multiplySizes,
  sameSize,
  sizeOfShape,
  subtractSizes,
  symbol,
  type Size,
} from '../src/index.js';

const bindings = new Map([
  ['a', 2],
  ['b', 3],
  ['c', 7],
]);

/** A random polynomial and its value under the bindings. */
const polynomial: fc.Arbitrary<{ size: Size; value: number }> = fc.letrec<{ tree: { size: Size; value: number } }>(
  (tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.integer({ min: -4, max: 4 }).map((value) => ({ size: value, value })),
      fc.constantFrom(...bindings).map(([name, value]) => ({ size: symbol(name), value })),
      fc.tuple(fc.constantFrom('add', 'subtract', 'multiply'), tie('tree'), tie('tree')).map(([kind, x, y]) => {
        if (kind === 'add') return { size: addSizes(x.size, y.size), value: x.value + y.value };
        if (kind === 'subtract') return { size: subtractSizes(x.size, y.size), value: x.value - y.value };
        return { size: multiplySizes(x.size, y.size), value: x.value * y.value };
      }),
    ),
  }),
).tree;

describe('sizes', () => {
  it('stand for what their arithmetic says', () => {
    fc.assert(fc.property(polynomial, ({ size, value }) => evaluateSize(size, bindings) === value));
  });

  it('are the same whatever way they were computed', () => {
    fc.assert(
      fc.property(polynomial, polynomial, polynomial, ({ size: x }, { size: y }, { size: z }) => {
        expect(sameSize(addSizes(x, y), addSizes(y, x))).toBe(true);
        expect(sameSize(multiplySizes(x, y), multiplySizes(y, x))).toBe(true);
        expect(sameSize(multiplySizes(x, addSizes(y, z)), addSizes(multiplySizes(x, y), multiplySizes(x, z)))).toBe(
          true,
        );
        expect(sameSize(subtractSizes(addSizes(x, y), y), x)).toBe(true);
        expect(sameSize(subtractSizes(x, x), 0)).toBe(true);
      }),
    );
  });

  it('have a text that says what they are', () => {
    expect(`${sizeOfShape([symbol('batch'), symbol('token'), 4])}`).toBe('4*batch*token');
    expect(`${addSizes(symbol('past'), symbol('token'))}`).toBe('past+token');
    expect(sameSize(symbol('a'), symbol('b'))).toBe(false);
  });

  it('are bound by the shapes that are fed', () => {
    const bound = new Map<string, number>();
    const all = addSizes(symbol('past'), symbol('token'));
    bindShape('x', [symbol('past'), symbol('token'), 3], [5, 2, 3], bound);
    bindShape('y', [all], [7], bound);
    expect([...bound]).toEqual([
      ['past', 5],
      ['token', 2],
    ]);
    expect(() => bindShape('y', [all], [8], bound)).toThrow(expect.objectContaining({ code: 'shape-mismatch' }));
    expect(() => bindShape('x', [symbol('past')], [6], bound)).toThrow(/past = 5/);
    expect(() => bindShape('x', [3], [4], bound)).toThrow(expect.objectContaining({ code: 'shape-mismatch' }));
    expect(() => bindShape('x', [3], [3, 1], bound)).toThrow(expect.objectContaining({ code: 'shape-mismatch' }));
  });

  it('refuse names that are none, and values that are missing', () => {
    expect(() => symbol('batch size')).toThrow(expect.objectContaining({ code: 'bad-size' }));
    expect(() => evaluateSize(symbol('nobody'), bindings)).toThrow(expect.objectContaining({ code: 'unbound-size' }));
  });
});

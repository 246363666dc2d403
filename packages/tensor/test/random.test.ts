import { describe, expect, it } from 'vitest';
import { Random } from '../src/random/random.js';
import { threefry2x32 } from '../src/random/threefry.js';

describe('threefry2x32', () => {
  // The known-answer vectors of Random123 (kat_vectors, "threefry2x32 20"): counter, key, result.
  it.each([
    [0, 0, 0, 0, 0x6b200159, 0x99ba4efe],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7],
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xc4923a9c, 0x483df7a0],
  ])('agrees with the published vector of counter %i %i', (counter0, counter1, key0, key1, first, second) => {
    const into = new Uint32Array(2);
    threefry2x32(key0, key1, counter0, counter1, into);
    expect([...into]).toEqual([first, second]);
  });
});

describe('Random', () => {
  it('draws the same numbers from the same seed, on every platform', () => {
    const random = Random.fromSeed(42);
    expect(random.bits(4)).toEqual(Random.fromSeed(42n).bits(4));
    expect(random.bits(4)).toEqual(random.bits(9).subarray(0, 4));
    expect(random.bits(4)).not.toEqual(Random.fromSeed(43).bits(4));
  });
});

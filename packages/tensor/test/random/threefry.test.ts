import { describe, expect, it } from 'vitest';
import { threefry2x32 } from '../../src/random/threefry.js';

describe('threefry2x32', () => {
  // The known-answer vectors that Random123 publishes (kat_vectors, "threefry2x32 20"): counter, key, result.
  it.each([
    { counter: [0, 0], key: [0, 0], result: [0x6b200159, 0x99ba4efe] },
    { counter: [0xffffffff, 0xffffffff], key: [0xffffffff, 0xffffffff], result: [0x1cb996fc, 0xbb002be7] },
    { counter: [0x243f6a88, 0x85a308d3], key: [0x13198a2e, 0x03707344], result: [0xc4923a9c, 0x483df7a0] },
  ])('agrees with the published vector of counter $counter', ({ counter, key, result }) => {
    const into = new Uint32Array(4);
    threefry2x32(key[0]!, key[1]!, counter[0]!, counter[1]!, into, 1);
    expect([...into]).toEqual([0, ...result, 0]);
  });

  it('takes words as signed or unsigned alike', () => {
    const [signed, unsigned] = [new Uint32Array(2), new Uint32Array(2)];
    threefry2x32(-1, -2, -3, -4, signed);
    threefry2x32(2 ** 32 - 1, 2 ** 32 - 2, 2 ** 32 - 3, 2 ** 32 - 4, unsigned);
    expect(signed).toEqual(unsigned);
  });
});

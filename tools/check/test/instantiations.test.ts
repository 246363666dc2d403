import { expect, it } from 'vitest';
import { compareWithBudget, readInstantiations } from '../src/instantiations.js';

it('reads the count that the compiler prints', () => {
  expect(readInstantiations('Types:            2977\nInstantiations:   3408\nMemory used: 77475K\n')).toBe(3408);
  expect(() => readInstantiations('Types: 1')).toThrow('no count of instantiations');
});

it('fails above the budget only', () => {
  expect(compareWithBudget('stress', 100, 100).passed).toBe(true);
  expect(compareWithBudget('stress', 101, 100)).toEqual({
    passed: false,
    line: expect.stringContaining('101 type instantiations, 101% of its budget of 100'),
  });
});

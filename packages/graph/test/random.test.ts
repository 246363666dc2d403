import { describe, expect, it } from 'vitest';
import { dropout, evaluate, gradients, graph, input, sum, uniform } from '../src/index.js';

const seed = input('seed', 'int32', [], []);
const count = 20_000;
const x = input('x', 'float32', ['row'], [count]);
const ones = { dtype: 'float32', shape: [count], data: new Float64Array(count).fill(1) } as const;
const seeded = (value: number) => ({ dtype: 'int32', shape: [], data: Float64Array.of(value) }) as const;

function draws(seedValue: number, stream: number): Float64Array {
  const y = uniform(seed, ['row'], [count], stream);
  return evaluate(graph([seed], { y }), { seed: seeded(seedValue) })['y']!.data;
}

describe('uniform', () => {
  it('has the mean, the variance and the even spread of uniform numbers', () => {
    for (const [from, stream] of [
      [0, 0],
      [1, 0],
      [-5, 77],
    ] as const) {
      const numbers = draws(from, stream);
      const mean = numbers.reduce((total, value) => total + value, 0) / count;
      const variance = numbers.reduce((total, value) => total + (value - mean) ** 2, 0) / count;
      // Five standard errors of each.
      expect(Math.abs(mean - 0.5)).toBeLessThan((5 * Math.sqrt(1 / 12)) / Math.sqrt(count));
      expect(Math.abs(variance - 1 / 12)).toBeLessThan((5 * Math.sqrt(1 / 180)) / Math.sqrt(count));
      const bins = new Float64Array(20);
      numbers.forEach((value) => bins[Math.floor(value * 20)]!++);
      const chiSquare = bins.reduce((total, bin) => total + (bin - count / 20) ** 2 / (count / 20), 0);
      // The 0.9999 quantile of chi-square with 19 degrees of freedom.
      expect(chiSquare).toBeLessThan(50.8);
      expect(numbers.every((value) => value >= 0 && value < 1)).toBe(true);
    }
  });

  it('does not correlate neighbours, seeds or streams', () => {
    const correlation = (a: Float64Array, b: Float64Array): number =>
      (12 * a.reduce((total, value, at) => total + (value - 0.5) * (b[at]! - 0.5), 0)) / a.length;
    const numbers = draws(3, 0);
    const bound = 5 / Math.sqrt(count);
    expect(Math.abs(correlation(numbers.subarray(0, -1), numbers.subarray(1)))).toBeLessThan(bound);
    expect(Math.abs(correlation(numbers, draws(4, 0)))).toBeLessThan(bound);
    expect(Math.abs(correlation(numbers, draws(3, 1)))).toBeLessThan(bound);
  });
});

describe('dropout', () => {
  const rate = 0.3;
  const dropped = dropout(x, rate, seed, 5);
  const { x: slope } = gradients(sum(dropped), { x });
  const source = graph([x, seed], { dropped, slope });
  const results = evaluate(source, { x: ones, seed: seeded(1) });

  it('drops at its rate and keeps the mean', () => {
    const zeros = results['dropped']!.data.filter((value) => value === 0).length;
    expect(Math.abs(zeros / count - rate)).toBeLessThan(5 * Math.sqrt((rate * (1 - rate)) / count));
    const kept = results['dropped']!.data.filter((value) => value !== 0);
    expect(kept.every((value) => Math.abs(value - 1 / (1 - rate)) < 1e-6)).toBe(true);
  });

  it('lets the gradient through where it kept the value', () => {
    expect(results['slope']!.data).toEqual(results['dropped']!.data);
  });

  it('drops the same with the same seed, and other elements with another', () => {
    expect(evaluate(source, { x: ones, seed: seeded(1) })).toEqual(results);
    expect(evaluate(source, { x: ones, seed: seeded(2) })['dropped']).not.toEqual(results['dropped']);
  });

  it('does nothing at rate 0', () => expect(dropout(x, 0, seed, 0)).toBe(x));
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { normal32, normal52 } from '../../src/random/fill.js';
import { inverseNormal } from '../../src/random/inverse-normal.js';
import { Random } from '../../src/random/random.js';
import { golden } from '../golden.js';
import { chiSquare, chiSquareLimit, correlation, histogram, moment } from './statistics.js';

// Seeds are fixed, so these tests pass always or never; limits are those that 1 of 100,000 good seeds would miss.
const random = Random.fromSeed(2024);
const count = 200_000;

describe('uniform', () => {
  const arrays: readonly [string, Float32Array | Float64Array][] = [
    ['float32', random.split('32').uniform(count)],
    ['float64', random.split('64').uniform(new Float64Array(count))],
  ];
  it.each(arrays)('%s: the moments and the histogram of the uniform distribution', (_, numbers) => {
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(moment(numbers, 1)).toBeCloseTo(1 / 2, 2);
    expect(moment(numbers, 2)).toBeCloseTo(1 / 3, 2);
    expect(moment(numbers, 3)).toBeCloseTo(1 / 4, 2);
    const cells = histogram(
      Array.from(numbers, (number) => Math.floor(number * 256)),
      256,
    );
    expect(chiSquare(cells)).toBeLessThan(chiSquareLimit(255));
    expect(Math.abs(correlation(numbers.subarray(1), numbers.subarray(0, -1)))).toBeLessThan(4.5 / Math.sqrt(count));
  });

  it('uses bits of all magnitudes', () => {
    const low = histogram(
      random
        .split('low')
        .uniform(count)
        .map((number) => (number * 2 ** 24) % 64),
      64,
    );
    expect(chiSquare(low)).toBeLessThan(chiSquareLimit(63));
    const wide = random
      .split('low')
      .uniform(new Float64Array(count))
      .map((number) => (number * 2 ** 53) % 64);
    expect(chiSquare(histogram(wide, 64))).toBeLessThan(chiSquareLimit(63));
  });

  it('lies where it is told', () => {
    const numbers = random.uniform(1000, { low: -3, high: -1 });
    expect(numbers.every((number) => number >= -3 && number < -1)).toBe(true);
    expect(moment(numbers, 1)).toBeCloseTo(-2, 1);
    expect([...random.uniform(2, { low: 5, high: 5 })]).toEqual([5, 5]);
  });
});

describe('normal', () => {
  const arrays: readonly [string, Float32Array | Float64Array][] = [
    ['float32', random.split('normal 32').normal(count)],
    ['float64', random.split('normal 64').normal(new Float64Array(count))],
  ];
  it.each(arrays)('%s: the moments and the histogram of the normal distribution', (_, numbers) => {
    const deviation = 1 / Math.sqrt(count);
    expect(Math.abs(moment(numbers, 1))).toBeLessThan(4.5 * deviation);
    expect(Math.abs(moment(numbers, 2) - 1)).toBeLessThan(4.5 * Math.sqrt(2) * deviation);
    expect(Math.abs(moment(numbers, 3))).toBeLessThan(4.5 * Math.sqrt(15) * deviation);
    expect(Math.abs(moment(numbers, 4) - 3)).toBeLessThan(4.5 * Math.sqrt(96) * deviation);
    const edges = Array.from({ length: 99 }, (_, edge) => inverseNormal((edge + 1) / 100));
    const cells = histogram(
      Array.from(numbers, (number) => edges.filter((edge) => edge <= number).length),
      100,
    );
    expect(chiSquare(cells)).toBeLessThan(chiSquareLimit(99));
  });

  it('has the mean and the standard deviation that are asked for', () => {
    const standard = random.normal(100);
    const other = random.normal(100, { mean: 3, standardDeviation: 0.02 });
    expect([...other].every((number, index) => Math.abs(number - (3 + 0.02 * standard[index]!)) < 1e-6)).toBe(true);
    expect([...random.normal(2, { mean: 7, standardDeviation: 0 })]).toEqual([7, 7]);
  });

  it('is finite and symmetric at the ends', () => {
    const most = 2 ** 32 - 1;
    expect(normal32(0)).toBeCloseTo(-6.338, 3);
    expect(normal32(most)).toBe(-normal32(0));
    expect(normal52(0, 0)).toBeCloseTo(-8.2095, 4);
    expect(normal52(most, most)).toBe(-normal52(0, 0));
  });

  it('inverts the distribution function to 15 digits', () => {
    const { probability, quantile } = JSON.parse(readFileSync(golden('normal-quantiles.json'), 'utf8')) as {
      probability: number[];
      quantile: number[];
    };
    expect(probability.length).toBeGreaterThan(140);
    for (const [index, right] of quantile.entries()) {
      const error = Math.abs(inverseNormal(probability[index]!) - right);
      expect(error, `quantile of ${probability[index]}`).toBeLessThanOrEqual(2e-15 * Math.max(1, Math.abs(right)));
    }
    expect(inverseNormal(0.5)).toBe(0);
    expect(inverseNormal(2 ** -53)).toBeCloseTo(-8.2095, 4);
  });
});

describe('integers', () => {
  it.each([1, 2, 3, 7, 10, 1000])('below %i are equally likely', (below) => {
    const numbers = random.split('integers').integers(count, below);
    expect(chiSquare(histogram(numbers, below))).toBeLessThan(chiSquareLimit(Math.max(1, below - 1)));
  });

  it('have no bias where a remainder has one: three quarters of the range', () => {
    // By remainder, the lower third of [0, 3 * 2^29) would come 1.5 times as often as the others.
    const below = 3 * 2 ** 29;
    const thirds = histogram(
      random.integers(30_000, below).map((number) => Math.floor(number / 2 ** 29)),
      3,
    );
    expect(chiSquare(thirds)).toBeLessThan(chiSquareLimit(2));
    const stream = random.stream();
    const wide = Array.from({ length: 30_000 }, () => Math.floor(stream.below(3 * 2 ** 51) / 2 ** 51));
    expect(chiSquare(histogram(wide, 3))).toBeLessThan(chiSquareLimit(2));
  });
});

describe('permutation', () => {
  it('gives each of the 24 orders of four equally often', () => {
    const orders = random.split(24_000).map((child) => child.permutation(4).join(''));
    const distinct = [...new Set(orders)].sort();
    expect(distinct).toHaveLength(24);
    expect(
      chiSquare(
        histogram(
          orders.map((order) => distinct.indexOf(order)),
          24,
        ),
      ),
    ).toBeLessThan(chiSquareLimit(23));
  });
});

describe('split', () => {
  it('makes children that correlate neither with the parent nor with each other', () => {
    const families = [random, random.at(0), random.at(1), random.split('0'), random.split('1'), random.at(0).at(0)];
    const draws = families.map((member) => member.uniform(count));
    for (const [index, left] of draws.entries()) {
      for (const right of draws.slice(index + 1)) {
        expect(Math.abs(correlation(left, right))).toBeLessThan(4.5 / Math.sqrt(count));
      }
    }
  });

  it('makes first draws of many children that are uniform', () => {
    const first = random.split(50_000).map((child) => child.bits(1)[0]! >>> 24);
    expect(chiSquare(histogram(first, 256))).toBeLessThan(chiSquareLimit(255));
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  evaluate,
  graph,
  input,
  linearCrossEntropy,
  matmulTransposed,
  sparseCrossEntropy,
  type CrossEntropyOptions,
} from '../../src/index.js';
import { expectEqualGraphs, randomFeeds } from '../support/evaluate-equal.js';

const [rows, classes] = [4, 3];
const logits = input('logits', 'float32', ['row', 'class'], [rows, classes]);
const labels = input('labels', 'int32', ['row'], [rows]);
const weights = input('weights', 'float32', ['row'], [rows]);

/** The mean as PyTorch documents it, row by row. */
function byHand(
  numbers: readonly number[],
  targets: readonly number[],
  weight: readonly number[],
  { ignore, smoothing = 0 }: CrossEntropyOptions,
): number {
  let [total, counted] = [0, 0];
  targets.forEach((target, row) => {
    if (target === ignore) return;
    const own = numbers.slice(row * classes, (row + 1) * classes);
    const normal = Math.log(own.reduce((sum, value) => sum + Math.exp(value), 0));
    const losses = own.map((value) => normal - value);
    const even = losses.reduce((sum, value) => sum + value, 0) / classes;
    total += weight[row]! * ((1 - smoothing) * losses[target]! + smoothing * even);
    counted += weight[row]!;
  });
  return counted === 0 ? 0 : total / counted;
}

const numbers = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 12, maxLength: 12 });
const targets = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: rows, maxLength: rows });
const weighing = fc.array(fc.double({ min: 0.1, max: 3, noNaN: true }), { minLength: rows, maxLength: rows });

describe('sparseCrossEntropy', () => {
  it.each([
    ['plain', {}],
    ['with ignored labels', { ignore: 1 }],
    ['smoothed', { smoothing: 0.2 }],
    ['smoothed, with ignored labels', { ignore: 2, smoothing: 0.1 }],
  ])('is what its formula says: %s', (_, options) => {
    const plain = sparseCrossEntropy(logits, labels, options);
    const weighted = sparseCrossEntropy(logits, labels, options, weights);
    const source = graph([logits, labels, weights], { plain, weighted });
    fc.assert(
      fc.property(numbers, targets, weighing, (x, target, weight) => {
        const results = evaluate(source, {
          logits: { dtype: 'float32', shape: [rows, classes], data: Float64Array.from(x) },
          labels: { dtype: 'int32', shape: [rows], data: Float64Array.from(target) },
          weights: { dtype: 'float32', shape: [rows], data: Float64Array.from(weight) },
        });
        // Shares of smoothing are float32 constants.
        expect(results['plain']!.data[0]).toBeCloseTo(byHand(x, target, [1, 1, 1, 1], options), 6);
        expect(results['weighted']!.data[0]).toBeCloseTo(byHand(x, target, weight, options), 6);
      }),
    );
  });

  it('is 0 where no row counts, and takes labels out of range as long as they are ignored', () => {
    const loss = sparseCrossEntropy(logits, labels, { ignore: -100 });
    const source = graph([logits, labels], { loss });
    const feeds = randomFeeds(source);
    const ignored = { dtype: 'int32', shape: [rows], data: new Float64Array(rows).fill(-100) } as const;
    expect(evaluate(source, { ...feeds, labels: ignored })['loss']!.data[0]).toBe(0);
  });
});

describe('linearCrossEntropy', () => {
  it.each([{}, { ignore: 1 }, { smoothing: 0.3 }])('is the cross-entropy of the product: %o', (options) => {
    const hidden = input('hidden', 'float32', ['row', 'width'], [rows, 5]);
    const table = input('table', 'float32', ['class', 'width'], [classes, 5]);
    const inputs = [hidden, table, labels];
    expectEqualGraphs(
      graph(inputs, { loss: sparseCrossEntropy(matmulTransposed(hidden, table), labels, options) }),
      graph(inputs, { loss: linearCrossEntropy(hidden, table, labels, options) }),
      undefined,
      1e-6,
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accumulate, adamW, chain, clipByGlobalNorm, linearSchedule, sgd } from '../src/index.js';
import { difference, walk, type Values } from './support.js';

const shapes = { weight: [2, 2], bias: [2] };
const start: Values = { weight: [0.5, -1, 2, 0.25], bias: [1, -0.5] };

const gradient = fc.record({
  weight: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 4, maxLength: 4 }),
  bias: fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 2, maxLength: 2 }),
});

const meanOf = (gradients: readonly Values[]): Values =>
  Object.fromEntries(
    Object.keys(start).map((name) => [
      name,
      start[name]!.map((_, at) => gradients.reduce((sum, values) => sum + values[name]![at]!, 0) / gradients.length),
    ]),
  );

const optimizer = chain(
  clipByGlobalNorm(1.5),
  adamW({ learningRate: linearSchedule({ from: 0.1, to: 0.01, steps: 3 }), weightDecay: 0.1 }),
);

describe('accumulate', () => {
  it('steps as the optimizer within does on the mean gradients, whatever comes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(gradient, { minLength: 1, maxLength: 12 }), (n, given) => {
        const gradients = given.slice(0, given.length - (given.length % n));
        const groups = Array.from({ length: gradients.length / n }, (_, at) => gradients.slice(at * n, (at + 1) * n));
        const whole = walk(optimizer, shapes, start, groups.map(meanOf));
        const micro = walk(accumulate(optimizer, n), shapes, start, gradients);
        micro.parameters.forEach((values, at) => {
          const steps = Math.floor((at + 1) / n);
          const expected = steps === 0 ? start : whole.parameters[steps - 1]!;
          expect(difference(values, expected)).toBeLessThan(1e-12);
        });
        whole.states.forEach((state, step) => {
          const held = micro.states[(step + 1) * n - 1]!;
          const inner = Object.entries(held).filter(([name]) => name.startsWith('inner/'));
          expect(
            difference(Object.fromEntries(inner.map(([name, values]) => [name.slice(6), values])), state),
          ).toBeLessThan(1e-12);
        });
      }),
      { numRuns: 40 },
    );
  });

  it('holds the sum and the counts, and moves nothing until it is due', () => {
    const gradients = [1, 2, 4, 8].map((value) => ({ x: [value] }));
    const { parameters, states } = walk(accumulate(sgd({ learningRate: 0.5 }), 3), { x: [1] }, { x: [10] }, gradients);
    expect(states.map((state) => [state['sum/x'], state['microStep'], state['taken']])).toEqual([
      [[1], [1], [0]],
      [[3], [2], [0]],
      [[0], [0], [1]],
      [[8], [1], [1]],
    ]);
    const moved = 10 - 0.5 * (7 * Math.fround(1 / 3));
    expect(parameters.slice(0, 2)).toEqual([{ x: [10] }, { x: [10] }]);
    expect(parameters[2]!['x']![0]).toBeCloseTo(moved, 6);
    expect(parameters[3]).toEqual(parameters[2]);
  });

  it('leaves the momentum within exactly as it was between steps', () => {
    const gradients = [3, 5, 7, 11].map((value) => ({ x: [value] }));
    const within = accumulate(sgd({ learningRate: 0.1, momentum: 0.9 }), 2);
    const momenta = walk(within, { x: [1] }, { x: [1] }, gradients).states.map((state) => state['inner/momentum/x']);
    expect(momenta).toEqual([[0], [4], [4], [0.9 * 4 + 9]]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adamW, addDecayedWeights, chain, clipByGlobalNorm, clipByValue, scale, sgd } from '../src/index.js';
import { inputs, walk, type Values } from './support.js';

const shapes = { a: [3], b: [1] };
const zeros: Values = { a: [0, 0, 0], b: [0] };
const element = fc.double({ min: -1e3, max: 1e3, noNaN: true });
const gradients = fc.record({
  a: fc.array(element, { minLength: 3, maxLength: 3 }),
  b: fc.array(element, { minLength: 1, maxLength: 1 }),
});

/** What a transformation makes of gradients at parameters of zero. */
const transformed = (optimizer: ReturnType<typeof scale>, slopes: Values): Values =>
  walk(optimizer, shapes, zeros, [slopes]).parameters[0]!;
const flat = (values: Values): number[] => Object.values(values).flat();
const norm = (values: Values): number => Math.hypot(...flat(values));

describe('clipByGlobalNorm', () => {
  it('bounds the norm of all gradients together and keeps their direction', () => {
    fc.assert(
      fc.property(gradients, fc.double({ min: 0.01, max: 100, noNaN: true }), (slopes, largest) => {
        const clipped = transformed(clipByGlobalNorm(largest), slopes);
        expect(norm(clipped)).toBeLessThanOrEqual(largest);
        const factor = Math.min(1, largest / (norm(slopes) + 1e-6));
        flat(slopes).forEach((slope, at) => expect(flat(clipped)[at]).toBeCloseTo(slope * factor, 9));
      }),
    );
  });

  it('leaves small gradients and zeros as they are', () => {
    const small = { a: [0.1, -0.2, 0], b: [0.3] };
    expect(transformed(clipByGlobalNorm(1), small)).toEqual(small);
    expect(transformed(clipByGlobalNorm(1), zeros)).toEqual(zeros);
  });
});

describe('clipByValue', () => {
  it('cuts each element by itself', () => {
    const cut = transformed(clipByValue(2), { a: [-5, 1, 3], b: [2] });
    expect(cut).toEqual({ a: [-2, 1, 2], b: [2] });
  });
});

describe('addDecayedWeights', () => {
  it('decays what matches alone', () => {
    const start = { a: [1, 2, 4], b: [8] };
    const optimizer = chain(
      addDecayedWeights(0.5, (name) => name === 'a'),
      scale(-1),
    );
    expect(walk(optimizer, shapes, start, [zeros]).parameters).toEqual([{ a: [0.5, 1, 2], b: [8] }]);
  });
});

describe('chain', () => {
  it('names the state of each part after it, and counts parts of one name', () => {
    const optimizer = chain(
      clipByGlobalNorm(1),
      sgd({ learningRate: 1, momentum: 0.9 }),
      sgd({ learningRate: 1, momentum: 0.5 }),
    );
    expect(Object.keys(optimizer.init(inputs({ x: [2] })))).toEqual(['sgd/momentum/x', 'sgd-2/momentum/x']);
  });

  it('does not care how its parts are bracketed', () => {
    const [first, second, third] = [clipByGlobalNorm(1), sgd({ learningRate: 1, momentum: 0.9 }), scale(0.5)];
    const slopes = [1, 2, 3].map((size) => ({ a: [size, 0, -size], b: [0.1] }));
    const left = walk(chain(chain(first, second), third), shapes, zeros, slopes).parameters;
    expect(walk(chain(first, chain(second, third)), shapes, zeros, slopes).parameters).toEqual(left);
    expect(walk(chain(first, second, third), shapes, zeros, slopes).parameters).toEqual(left);
  });

  it('keeps the states of parts of one name apart', () => {
    const parts = [sgd({ learningRate: 1, momentum: 0.5 }), scale(-1), sgd({ learningRate: 1, momentum: 0.25 })];
    const slopes = [1, 0, 0].map((size) => ({ a: [size, 0, 0], b: [0] }));
    const { states } = walk(chain(...parts), shapes, zeros, slopes);
    expect(states.map((state) => state['sgd/momentum/a']![0])).toEqual([1, 0.5, 0.25]);
    expect(states.map((state) => state['sgd-2/momentum/a']![0])).toEqual([1, 0.75, 0.4375]);
  });
});

describe('adamW', () => {
  it('takes a step of the learning rate, whatever the first gradient is, and none where it is zero', () => {
    fc.assert(
      fc.property(gradients, (slopes) => {
        const moved = flat(transformed(adamW({ learningRate: 0.1, epsilon: 0 }), { ...slopes, b: [1] }));
        flat({ ...slopes, b: [1] }).forEach((slope, at) => {
          if (Math.abs(slope) > 1e-100) expect(moved[at]).toBeCloseTo(-0.1 * Math.sign(slope), 10);
        });
      }),
    );
    expect(transformed(adamW({ learningRate: 0.1 }), zeros)).toEqual(zeros);
  });
});

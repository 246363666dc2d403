import { input } from '@user-llm/graph';
import { UserLlmError } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import {
  accumulate,
  adafactor,
  adam,
  adamW,
  addDecayedWeights,
  chain,
  clipByGlobalNorm,
  clipByValue,
  constantSchedule,
  cosineSchedule,
  inverseSquareRootSchedule,
  joinSchedules,
  linearSchedule,
  lion,
  scale,
  sgd,
  warmUp,
} from '../src/index.js';
import { inputs } from './support.js';

function thrown(f: () => unknown): UserLlmError {
  try {
    f();
  } catch (error) {
    if (UserLlmError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const rate = { learningRate: 0.1 };
const steady = constantSchedule(1);

describe('hyper-parameters out of their range', () => {
  it.each<[string, () => unknown]>([
    ['sgd: learningRate', () => sgd({ learningRate: -1 })],
    ['sgd: momentum', () => sgd({ ...rate, momentum: -0.1 })],
    ['sgd: dampening', () => sgd({ ...rate, dampening: 1.5 })],
    ['sgd: nesterov', () => sgd({ ...rate, nesterov: true })],
    ['sgd: nesterov', () => sgd({ ...rate, nesterov: true, momentum: 0.9, dampening: 0.1 })],
    ['adam: learningRate', () => adam({ learningRate: NaN })],
    ['adam: firstDecay', () => adam({ ...rate, firstDecay: 1 })],
    ['adamW: secondDecay', () => adamW({ ...rate, secondDecay: -0.1 })],
    ['adamW: epsilon', () => adamW({ ...rate, epsilon: -1e-8 })],
    ['adamW: weightDecay', () => adamW({ ...rate, weightDecay: Infinity })],
    ['adamW: groups[1].weightDecay', () => adamW({ ...rate, groups: [all, { ...all, weightDecay: -1 }] })],
    ['adamW: groups[0].learningRateFactor', () => adamW({ ...rate, groups: [{ ...all, learningRateFactor: -1 }] })],
    ['lion: firstDecay', () => lion({ ...rate, firstDecay: 1 })],
    ['lion: secondDecay', () => lion({ ...rate, secondDecay: 2 })],
    ['adafactor: learningRate', () => adafactor({ learningRate: -1 })],
    ['adafactor: secondDecayExponent', () => adafactor({ secondDecayExponent: 0.1 })],
    ['adafactor: epsilon', () => adafactor({ epsilon: -1 })],
    ['adafactor: leastScale', () => adafactor({ leastScale: -1 })],
    ['adafactor: clippingThreshold', () => adafactor({ clippingThreshold: 0 })],
    ['clipByGlobalNorm', () => clipByGlobalNorm(0)],
    ['clipByValue', () => clipByValue(-1)],
    ['addDecayedWeights', () => addDecayedWeights(-1)],
    ['constantSchedule', () => scale(NaN)],
    ['accumulate: microSteps', () => accumulate(sgd(rate), 1.5)],
    ['chain', () => chain()],
    ['linearSchedule: from', () => linearSchedule({ from: -1, to: 0, steps: 1 })],
    ['linearSchedule: to', () => linearSchedule({ from: 0, to: -1, steps: 1 })],
    ['linearSchedule: steps', () => linearSchedule({ from: 1, to: 0, steps: 0 })],
    ['cosineSchedule: peak', () => cosineSchedule({ peak: -1, steps: 1 })],
    ['cosineSchedule: end', () => cosineSchedule({ peak: 1, end: -1, steps: 1 })],
    ['cosineSchedule: steps', () => cosineSchedule({ peak: 1, steps: 0.5 })],
    ['warmUp: steps', () => warmUp(steady, 0)],
    ['inverseSquareRootSchedule: peak', () => inverseSquareRootSchedule({ peak: -1, warmUpSteps: 1 })],
    ['inverseSquareRootSchedule: warmUpSteps', () => inverseSquareRootSchedule({ peak: 1, warmUpSteps: 0 })],
    ['joinSchedules', () => joinSchedules([])],
    ['joinSchedules: parts[0].steps', () => joinSchedules([{ schedule: steady }, { schedule: steady }])],
  ])('%s', (what, make) => {
    const error = thrown(make);
    expect(error.code).toBe('bad-hyper-parameter');
    expect(error.details.what).toBe(what);
    expect(error.details.expected).toBeTruthy();
    expect(error.details.got).toBeTruthy();
  });
});

const all = { match: () => true };

describe('tensors that do not fit', () => {
  const step = input('step', 'float32', [], []);
  const x = inputs({ x: [2] });

  it('state of other parameters', () => {
    const error = thrown(() => adamW(rate).update(x, adamW(rate).init(inputs({ y: [2] })), x, step));
    expect(error.code).toBe('unknown-tensor');
    expect(error.message).toContain('first/x');
    expect(error.message).toContain('first/y');
  });

  it('a gradient without a parameter', () => {
    expect(thrown(() => sgd(rate).update(x, {}, {}, step)).code).toBe('unknown-tensor');
  });

  it('parameters that are not real numbers', () => {
    const ids = { x: input('x', 'int32', ['axis'], [2]) };
    expect(thrown(() => adamW(rate).init(ids)).code).toBe('dtype-mismatch');
    expect(thrown(() => sgd(rate).update(ids, {}, ids, step)).code).toBe('dtype-mismatch');
  });

  it('clipping of nothing', () => {
    expect(thrown(() => clipByGlobalNorm(1).update({}, {}, {}, step)).code).toBe('bad-argument');
  });
});

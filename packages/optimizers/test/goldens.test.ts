import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluate, graph, input, type FloatScalar, type Optimizer } from '@user-llm/graph';
import {
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
  scaleBySchedule,
  sgd,
  warmUp,
  type Schedule,
} from '../src/index.js';
import { difference, walk, type Values } from './support.js';

interface Golden {
  readonly made_by: string;
  readonly dtype: string;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly parameters: Values;
  readonly gradients: readonly Values[];
  readonly steps: Readonly<Record<string, readonly Values[]>>;
  readonly schedules: Readonly<Record<string, readonly number[]>>;
}

const golden = JSON.parse(readFileSync(new URL('goldens/optimizers.json', import.meta.url), 'utf8')) as Golden;

/** Both sides compute in float64; what is left is the order of operations. */
const tolerance = 1e-11;

const vectors = new Set(['bias', 'norm']);

/** Ours for every case of tools/reference/optimizers_golden.py. */
const ours: Readonly<Record<string, Optimizer>> = {
  sgd: sgd({ learningRate: 0.1 }),
  'sgd momentum': sgd({ learningRate: 0.05, momentum: 0.9, weightDecay: 0.1 }),
  'sgd dampening': sgd({ learningRate: 0.05, momentum: 0.8, dampening: 0.3 }),
  'sgd nesterov': sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.05 }),
  adam: adam({ learningRate: 0.01 }),
  'adam weight decay': adam({
    learningRate: 0.02,
    firstDecay: 0.8,
    secondDecay: 0.95,
    epsilon: 1e-6,
    weightDecay: 0.1,
  }),
  adamW: adamW({ learningRate: 0.01 }),
  'adamW no memory': adamW({ learningRate: 0.01, firstDecay: 0, secondDecay: 0, epsilon: 1e-3, weightDecay: 0.1 }),
  'adamW groups': adamW({
    learningRate: 0.02,
    secondDecay: 0.98,
    weightDecay: 0.2,
    groups: [
      { match: (name) => vectors.has(name), weightDecay: 0 },
      { match: (name) => name === 'heads', learningRateFactor: 0.25, weightDecay: 0.3 },
    ],
  }),
  'adamW schedule': adamW({
    learningRate: linearSchedule({ from: 0.02, to: 0.002, steps: 6 }),
    weightDecay: 0.1,
  }),
  'adamW clipped': chain(clipByGlobalNorm(2), adamW({ learningRate: 0.01 })),
  'sgd clipped': chain(clipByGlobalNorm(2), sgd({ learningRate: 0.1 })),
  'sgd cut': chain(clipByValue(0.5), sgd({ learningRate: 0.1 })),
  adafactor: adafactor(),
  'adafactor options': adafactor({
    learningRate: 0.4,
    secondDecayExponent: -0.6,
    epsilon: 1e-3,
    leastScale: 0.01,
    clippingThreshold: 1.25,
    weightDecay: 0.1,
  }),
  lion: lion({ learningRate: 0.01 }),
  'lion weight decay': lion({ learningRate: 0.02, firstDecay: 0.85, secondDecay: 0.95, weightDecay: 0.3 }),
};

const stepsOf = (optimizer: Optimizer) =>
  walk(optimizer, golden.shapes, golden.parameters, golden.gradients).parameters;

describe(`ten steps in ${golden.dtype}, as ${golden.made_by} takes them`, () => {
  it('has ours for every golden case, and no other', () => {
    expect(Object.keys(ours).sort()).toEqual(Object.keys(golden.steps).sort());
    expect(golden.gradients).toHaveLength(10);
  });

  it.each(Object.keys(golden.steps))('%s', (name) => {
    const differences = stepsOf(ours[name]!).map((values, step) => difference(values, golden.steps[name]![step]!));
    expect(Math.max(...differences)).toBeLessThan(tolerance);
  });

  it.each<[string, string, Optimizer]>([
    [
      'sgd momentum',
      'coupled decay as a part of its own',
      chain(addDecayedWeights(0.1), sgd({ learningRate: 0.05, momentum: 0.9 })),
    ],
    ['sgd', 'a factor', scale(-0.1)],
    ['sgd', 'a schedule', scaleBySchedule(constantSchedule(-0.1))],
    ['sgd cut', 'three parts', chain(clipByValue(0.5), scale(0.2), scale(-0.5))],
  ])('%s from %s', (name, _, optimizer) => {
    const differences = stepsOf(optimizer).map((values, step) => difference(values, golden.steps[name]![step]!));
    expect(Math.max(...differences)).toBeLessThan(tolerance);
  });
});

/** The values of a schedule at steps 0, 1, ... */
function rates(schedule: Schedule, steps: number): number[] {
  const step = input('step', 'float64', [], []) as unknown as FloatScalar;
  const program = graph([step], { rate: schedule(step) });
  return Array.from(
    { length: steps },
    (_, at) =>
      evaluate(program, { step: { dtype: 'float64', shape: [], data: Float64Array.of(at) } })['rate']!.data[0]!,
  );
}

const peak = 0.3;
const schedules: Readonly<Record<string, Schedule>> = {
  linear: linearSchedule({ from: peak * 0.2, to: peak * 0.9, steps: 7 }),
  cosine: cosineSchedule({ peak, end: 0.02, steps: 12 }),
  'warm-up': warmUp(constantSchedule(peak), 4),
  'inverse square root': inverseSquareRootSchedule({ peak, warmUpSteps: 4 }),
  join: joinSchedules([
    { schedule: linearSchedule({ from: 0.1 * peak, to: peak, steps: 3 }), steps: 3 },
    { schedule: constantSchedule(peak), steps: 2 },
    { schedule: cosineSchedule({ peak, steps: 7 }) },
  ]),
};
/** PyTorch's cosine rises again after its last step; ours stays. */
const lastCommonStep: Readonly<Record<string, number>> = { cosine: 12, join: 5 + 7 };

describe(`learning rates in float64, as ${golden.made_by} gives them`, () => {
  it('has ours for every golden schedule, and no other', () => {
    expect(Object.keys(schedules).sort()).toEqual(Object.keys(golden.schedules).sort());
  });

  it.each(Object.keys(golden.schedules))('%s', (name) => {
    const last = lastCommonStep[name] ?? 15;
    const got = rates(schedules[name]!, 30);
    golden.schedules[name]!.slice(0, last + 1).forEach((rate, step) => expect(got[step]).toBeCloseTo(rate, 12));
    if (name in lastCommonStep) got.slice(last).forEach((rate) => expect(rate).toBe(got[last]));
  });
});

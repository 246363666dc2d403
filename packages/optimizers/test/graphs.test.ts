import {
  evaluate,
  graph,
  input,
  square,
  subtract,
  sum,
  trainStepGraphs,
  type Float,
  type NamedTensors,
  type Optimizer,
  type Symbolic,
} from '@user-llm/graph';
import { describe, expect, it } from 'vitest';
import {
  accumulate,
  adafactor,
  adam,
  adamW,
  chain,
  clipByGlobalNorm,
  cosineSchedule,
  lion,
  sgd,
  warmUp,
} from '../src/index.js';

const target = { dtype: 'float32', shape: [2, 3], data: Float64Array.of(1, -2, 3, 0.5, -0.25, 2) } as const;
const zeros = { dtype: 'float32', shape: [2, 3], data: new Float64Array(6) } as const;

const optimizers: Readonly<Record<string, Optimizer>> = {
  sgd: sgd({ learningRate: 0.1, momentum: 0.5 }),
  adam: adam({ learningRate: 0.1 }),
  adamW: adamW({ learningRate: warmUp(cosineSchedule({ peak: 0.2, steps: 80 }), 5), weightDecay: 0 }),
  adafactor: adafactor({ learningRate: 1, leastScale: 0.1 }),
  lion: lion({ learningRate: cosineSchedule({ peak: 0.2, steps: 80 }), firstDecay: 0.8, secondDecay: 0.9 }),
  'clipped and accumulated': accumulate(chain(clipByGlobalNorm(1), sgd({ learningRate: 0.5 })), 2),
};

describe.each(Object.keys(optimizers))('a training step of float32 with %s', (name) => {
  const weight = input('weight', 'float32', ['row', 'column'], [2, 3]);
  const wanted = input('wanted', 'float32', ['row', 'column'], [2, 3]);
  const definition = {
    inputs: [weight, wanted],
    loss: sum(square(subtract(weight, wanted))),
    parameters: { weight },
    optimizer: optimizers[name]!,
  };
  const graphs = trainStepGraphs(definition);
  const carried = (outputs: ReturnType<typeof evaluate>) =>
    Object.fromEntries(Object.entries(graphs.carry).map(([input, output]) => [input, outputs[output]!]));

  it('keeps the types of what is carried', () => {
    for (const [held, output] of Object.entries(graphs.carry)) {
      const before = graphs.fused.inputs[held]!;
      const after = graphs.fused.outputs[output]!;
      expect([held, after.dtype, after.axes, after.shape]).toEqual([held, before.dtype, before.axes, before.shape]);
    }
  });

  it('learns: the loss falls to a hundredth', () => {
    let held = { weight: zeros, ...evaluate(graphs.init, { weight: zeros }) };
    const losses: number[] = [];
    for (let step = 0; step < 80; step++) {
      const outputs = evaluate(graphs.fused, { ...held, wanted: target });
      losses.push(outputs['loss']!.data[0]!);
      held = carried(outputs) as typeof held;
    }
    expect(losses.at(-1)).toBeLessThan(0.01 * losses[0]!);
  });

  it('gives the same bits split as fused', () => {
    let held = { weight: zeros, ...evaluate(graphs.init, { weight: zeros }) };
    for (let step = 0; step < 4; step++) {
      const fused = carried(evaluate(graphs.fused, { ...held, wanted: target }));
      const slopes = evaluate(graphs.gradients, { weight: held.weight, wanted: target });
      const split = evaluate(graphs.update, { ...held, 'gradient/weight': slopes['gradient/weight']! });
      expect(carried(split)).toEqual(fused);
      held = fused as typeof held;
    }
  });
});

describe('what a step costs', () => {
  /** Nodes of the update that work on whole tensors. */
  function passes(optimizer: Optimizer): number {
    const type = (name: string): Float => input(name, 'float32', ['row', 'column'], [2, 3]);
    const parameters: NamedTensors = { weight: type('weight') };
    const gradients: NamedTensors = { weight: type('gradient') };
    const step = input('step', 'float32', [], []);
    const initial = optimizer.init(parameters);
    const state = Object.fromEntries(
      Object.entries(initial).map(([name, { dtype, axes, shape }]) => [
        name,
        input(name, dtype, axes, shape as never) as Symbolic,
      ]),
    );
    const { updates, state: kept } = optimizer.update(gradients, state, parameters, step);
    const inputs = [...Object.values(parameters), ...Object.values(gradients), ...Object.values(state), step];
    const { nodes } = graph(inputs, { ...updates, ...kept });
    return nodes.filter(({ inputs: from, outputs }) => from.length > 0 && outputs[0]!.shape.length === 2).length;
  }

  it.each<[string, number, Optimizer]>([
    ['sgd', 1, sgd({ learningRate: 0.1 })],
    ['sgd with momentum', 3, sgd({ learningRate: 0.1, momentum: 0.9 })],
    ['lion', 7, lion({ learningRate: 0.1 })],
    ['adam', 9, adam({ learningRate: 0.1 })],
    ['adamW', 11, adamW({ learningRate: 0.1 })],
  ])('%s passes over a parameter %i times', (_, expected, optimizer) => {
    expect(passes(optimizer)).toBe(expected);
  });
});

describe('a learning rate that is fed', () => {
  it('steps by it, fused and split', () => {
    const weight = input('weight', 'float32', ['row', 'column'], [2, 3]);
    const rate = input('rate', 'float32', [], []);
    const graphs = trainStepGraphs({
      inputs: [weight],
      loss: sum(square(subtract(weight, 1))),
      parameters: { weight },
      optimizer: sgd({ learningRate: () => rate }),
      controls: [rate],
    });
    const fed = { rate: { dtype: 'float32', shape: [], data: Float64Array.of(0.25) } } as const;
    const held = { weight: target, ...evaluate(graphs.init, { weight: target }) };
    const halfway = target.data.map((value) => (value + 1) / 2);
    expect(evaluate(graphs.fused, { ...held, ...fed })['next/weight']!.data).toEqual(halfway);
    const slopes = evaluate(graphs.gradients, { weight: target });
    const split = evaluate(graphs.update, { ...held, ...fed, 'gradient/weight': slopes['gradient/weight']! });
    expect(split['next/weight']!.data).toEqual(halfway);
  });
});

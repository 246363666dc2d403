import {
  evaluate,
  input,
  mean,
  square,
  subtract,
  trainStepGraphs,
  type FloatScalar,
  type NamedTensors,
  type Optimizer,
  type ReferenceArray,
  type Symbolic,
} from '@user-llm/graph';
import { demand, type Check } from './check.js';

const shape = [3, 2];

/** A loss with its least value where both parameters are 1 everywhere. */
function bowl(): {
  readonly inputs: readonly Symbolic[];
  readonly parameters: NamedTensors;
  readonly loss: FloatScalar;
} {
  const first = input('first', 'float32', ['row', 'column'], [3, 2]);
  const second = input('second', 'float32', ['row', 'column'], [3, 2]);
  const away = square(subtract(first, 1));
  const loss = mean(square(subtract(second, 1)));
  return { inputs: [first, second], parameters: { first, second }, loss: evenSum(mean(away), loss) };
}

function evenSum(a: FloatScalar, b: FloatScalar): FloatScalar {
  return subtract(a, subtract(0, b));
}

function start(graphInputs: NamedTensors): Record<string, ReferenceArray> {
  return Object.fromEntries(
    Object.keys(graphInputs).map((name, at) => [
      name,
      { dtype: 'float32', shape, data: Float64Array.from({ length: 6 }, (_, k) => Math.sin(7 * at + k)) },
    ]),
  );
}

/**
 * What every optimizer must do: keep the names and types of its state, leave the parameters' types alone, give the
 * same numbers for the same input, and lower a convex loss within 200 steps.
 *
 * @param make A new optimizer with a learning rate of about 0.05.
 */
export function optimizerChecks(make: () => Optimizer): readonly Check[] {
  const graphs = () => {
    const { inputs, parameters, loss } = bowl();
    return trainStepGraphs({ inputs, parameters, loss, optimizer: make() });
  };
  const run = (steps: number): { losses: number[]; last: Record<string, ReferenceArray> } => {
    const { fused, init, carry } = graphs();
    const parameters = start(init.inputs);
    let carried = { ...parameters, ...evaluate(init, parameters) };
    const losses: number[] = [];
    for (let step = 0; step < steps; step++) {
      const results = evaluate(fused, carried);
      losses.push(results['loss']!.data[0]!);
      carried = Object.fromEntries(Object.entries(carry).map(([name, output]) => [name, results[output]!]));
    }
    return { losses, last: carried };
  };
  return [
    {
      name: 'state keeps its names and types',
      run: async () => {
        const { fused, init, carry } = graphs();
        for (const [name, output] of Object.entries(carry)) {
          const from = fused.inputs[name];
          const to = fused.outputs[output];
          const same = from && to && from.dtype === to.dtype && `${from.shape}` === `${to.shape}`;
          demand(Boolean(same), `state ${name}`, 'one type before and after a step', same ? 'the same' : 'another');
          const known = Object.hasOwn(init.inputs, name) || Object.hasOwn(init.outputs, name);
          demand(known, `state ${name}`, 'a first value', 'none');
        }
        await Promise.resolve();
      },
    },
    {
      name: 'the same input gives the same numbers',
      run: async () => {
        const [a, b] = [run(3).last, run(3).last];
        for (const [name, { data }] of Object.entries(a)) {
          demand(
            data.every((value, at) => Object.is(value, b[name]!.data[at])),
            name,
            'equal numbers',
            'others',
          );
        }
        await Promise.resolve();
      },
    },
    {
      name: 'a convex loss falls to a tenth within 200 steps',
      run: async () => {
        const { losses } = run(200);
        const fell = losses.at(-1)! < 0.1 * losses[0]!;
        demand(fell, 'loss', `less than ${0.1 * losses[0]!}`, `${losses.at(-1)}`);
        await Promise.resolve();
      },
    },
  ];
}

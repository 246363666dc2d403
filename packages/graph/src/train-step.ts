import { UserLlmError } from '@user-llm/tensor';
import { differentiate } from './autodiff.js';
import { graph, inputName, type Graph, type NamedTensors } from './graph.js';
import { rawAdd, rawMultiply } from './operators/arithmetic.js';
import { scalarLike, squareRootOperator } from './operators/elementwise.js';
import { input } from './operators/input.js';
import { rawSum } from './operators/reduce.js';
import { applyOne } from './operator.js';
import type { Optimizer } from './optimizer.js';
import type { FloatScalar, Symbolic } from './symbolic.js';

/** What is trained, on what, and how. */
export interface TrainStepDefinition {
  /** All inputs that are fed or held: batches, seeds, parameters. */
  readonly inputs: readonly Symbolic[];
  readonly loss: FloatScalar;
  /** The parameters that are trained, by name; each is an input of that name. All other inputs stay as they are. */
  readonly parameters: NamedTensors;
  readonly optimizer: Optimizer;
  /** Inputs that the optimizer alone reads, such as a learning rate that is fed with each step. */
  readonly controls?: readonly Symbolic[];
  /** What else to return with each step, by name. */
  readonly metrics?: NamedTensors;
}

/** A training step as graphs. */
export interface TrainStepGraphs {
  /** Forward, backward, clipping and optimizer in one: outputs `loss`, `gradientNorm`, the metrics, and what is carried. */
  readonly fused: Graph;
  /** Forward and backward alone: outputs `loss`, the metrics, and `gradient/NAME` for every parameter. */
  readonly gradients: Graph;
  /** The optimizer alone: inputs `gradient/NAME`, the parameters, the controls and the state; outputs `gradientNorm` and what is carried. */
  readonly update: Graph;
  /** For each parameter and each piece of state, the output of `fused` or `update` that takes its place. */
  readonly carry: Readonly<Record<string, string>>;
  /** The state to start from, out of the parameters: outputs by the names of the state's inputs. */
  readonly init: Graph;
}

/** The input that counts the steps taken. */
const stepName = 'step';
const next = (name: string): string => `next/${name}`;

/** The square root of the sum of all squares of all tensors: the global norm. */
export function globalNorm(tensors: NamedTensors): FloatScalar {
  const squares = Object.values(tensors).map((x) => rawSum(rawMultiply(x, x), [...x.axes.keys()], false));
  if (squares.length === 0)
    throw new UserLlmError('bad-argument', { what: 'globalNorm', expected: 'at least one tensor', got: 'none' });
  return applyOne(squareRootOperator, [squares.reduce(rawAdd)], {}) as FloatScalar;
}

/**
 * The graphs of a training step, fused and split; both give the same numbers.
 *
 * Parameters and state are carried from step to step, the count of steps among them as `step`.
 *
 * @throws UserLlmError `bad-graph` when a parameter is not an input of its name; and what `differentiate` throws.
 */
export function trainStepGraphs(definition: TrainStepDefinition): TrainStepGraphs {
  const { inputs, loss, parameters, optimizer, controls = [], metrics = {} } = definition;
  for (const [name, tensor] of Object.entries(parameters)) {
    if (inputName(tensor) !== name || !inputs.includes(tensor)) {
      throw new UserLlmError('bad-graph', {
        what: `parameter ${JSON.stringify(name)}`,
        expected: 'one of the inputs, under that name',
        got: inputName(tensor) ?? `an output of ${tensor.node.operator.name}`,
      });
    }
  }
  const step = input(stepName, 'float32', [], []);
  const initial = optimizer.init(parameters);
  const state = Object.fromEntries(
    Object.entries(initial).map(([name, { dtype, axes, shape }]) => [
      name,
      input(name, dtype, axes, shape as never) as Symbolic,
    ]),
  );
  const derived = differentiate(loss, parameters, metrics);
  const stateInputs = Object.values(state);
  const updated = (slopes: NamedTensors): NamedTensors => {
    const result = optimizer.update(slopes, state, parameters, step);
    const moved = Object.entries(parameters).map(([name, parameter]) => {
      const update = result.updates[name];
      return [next(name), update ? rawAdd(parameter, update) : parameter] as const;
    });
    const kept = Object.entries(state).map(([name, old]) => [next(name), result.state[name] ?? old] as const);
    const counted = [[next(stepName), rawAdd(step, scalarLike(step, 1))] as const];
    return { gradientNorm: globalNorm(slopes), ...Object.fromEntries([...moved, ...kept, ...counted]) };
  };
  const gradientName = (name: string): string => `gradient/${name}`;
  const fed = Object.fromEntries(
    Object.entries(parameters).map(([name, { dtype, axes, shape }]) => [
      name,
      input(gradientName(name), dtype, axes, shape as never) as Symbolic,
    ]),
  );
  const slopes = Object.entries(derived.gradients).map(([name, slope]) => [gradientName(name), slope] as const);
  return {
    fused: graph([...inputs, ...controls, ...stateInputs, step], {
      loss: derived.loss,
      ...derived.also,
      ...updated(derived.gradients),
    }),
    gradients: graph(inputs, { loss: derived.loss, ...derived.also, ...Object.fromEntries(slopes) }),
    update: graph(
      [...Object.values(fed), ...Object.values(parameters), ...controls, ...stateInputs, step],
      updated(fed),
    ),
    carry: Object.fromEntries(
      [...Object.keys(parameters), ...Object.keys(state), stepName].map((name) => [name, next(name)]),
    ),
    init: graph(Object.values(parameters), { ...initial, [stepName]: scalarLike(step, 0) }),
  };
}

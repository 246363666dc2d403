import {
  add,
  divide,
  maximum,
  mean,
  minimum,
  multiply,
  negate,
  power,
  reshape,
  square,
  squareRoot,
  subtract,
  sum,
  type Float,
  type FloatScalar,
  type NamedTensors,
  type Optimizer,
} from '@user-llm/graph';
import { checked, notNegative, positive } from './hyper-parameter.js';
import { rateOf, type LearningRate } from './learning-rate.js';
import { named, zerosLike } from './named.js';
import { parameterSettings, type ParameterGroup } from './parameter-group.js';
import { scalarOf, stepScalars } from './scalar.js';

/** Options of `adafactor`. */
export interface AdafactorOptions {
  /** The largest relative step, and the factor of weight decay; 0.01 unless told. */
  readonly learningRate?: LearningRate;
  /** At step t, `t^secondDecayExponent` of a mean square is new; -0.8 unless told. */
  readonly secondDecayExponent?: number;
  /** The least a root mean square counts as; the dtype's rounding unit unless told. */
  readonly epsilon?: number;
  /** The least a parameter's root mean square counts as; 0.001 unless told. */
  readonly leastScale?: number;
  /** The largest root mean square of an update before it is scaled; 1 unless told. */
  readonly clippingThreshold?: number;
  /** Decoupled, times the learning rate; 0 unless told. */
  readonly weightDecay?: number;
  readonly groups?: readonly ParameterGroup[];
}

/** What `torch.finfo` calls eps: the distance from 1 to the next number. */
const roundingUnit: Readonly<Record<string, number>> = {
  float64: 2 ** -52,
  float32: 2 ** -23,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
};

const rows = (name: string): string => `row/${name}`;
const columns = (name: string): string => `column/${name}`;
const whole = (name: string): string => `second/${name}`;

/** The state in which a parameter's mean squares are held. */
function initial(name: string, parameter: Float): NamedTensors {
  const [row, column] = parameter.axes.slice(-2);
  if (row === undefined || column === undefined) return { [whole(name)]: zerosLike(parameter) };
  const zeros = zerosLike(parameter);
  return { [rows(name)]: sum(zeros, column) as Float, [columns(name)]: sum(zeros, row) as Float };
}

function rootMeanSquare(tensor: Float): FloatScalar {
  return squareRoot(mean(square(tensor)));
}

/** `old` moved by `share` of the way to `target`. */
function moveTowards(old: Float, target: Float, share: FloatScalar): Float {
  return add(old, multiply(subtract(target, old), share));
}

/**
 * The new mean squares as state, and what the squares of a gradient are estimated at: for a matrix, the product of the
 * means of its rows and columns over the mean of all (the paper's section 3, algorithm 2).
 */
function estimate(name: string, slope: Float, state: NamedTensors, share: FloatScalar, least: number) {
  const squares = square(slope);
  const [rowAxis, columnAxis] = slope.axes.slice(-2);
  if (rowAxis === undefined || columnAxis === undefined) {
    const second = moveTowards(named(state, whole(name), 'the state'), squares, share);
    return { kept: { [whole(name)]: second }, second };
  }
  const row = moveTowards(named(state, rows(name), 'the state'), mean(squares, columnAxis) as Float, share);
  const column = moveTowards(named(state, columns(name), 'the state'), mean(squares, rowAxis) as Float, share);
  const outer = slope.shape.slice(0, -2);
  const [height, width] = slope.shape.slice(-2);
  const total = reshape(mean(row, rowAxis) as Float, slope.axes, [...outer, 1, 1]);
  const relative = divide(reshape(row, slope.axes, [...outer, height!, 1]), maximum(total, least));
  const second = multiply(relative, reshape(column, slope.axes, [...outer, 1, width!]));
  return { kept: { [rows(name)]: row, [columns(name)]: column }, second };
}

/**
 * Adafactor: steps relative to a parameter's size, by mean squares of which a matrix keeps one per row and column only.
 * Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", ICML 2018, algorithms 4 and 5, in
 * the form of `torch.optim.Adafactor` (the learning rate bounds the relative step; epsilon is a lower bound, not added).
 * Of more than two axes the last two are the matrix.
 *
 * State: `row/NAME` and `column/NAME` of a matrix, `second/NAME` of anything smaller.
 *
 * @throws UserLlmError `bad-hyper-parameter` when an option is out of its range.
 */
export function adafactor(options: AdafactorOptions = {}): Optimizer {
  const rate = rateOf('adafactor', options.learningRate ?? 0.01);
  const exponent = checked('adafactor: secondDecayExponent', options.secondDecayExponent ?? -0.8, {
    least: -Number.MAX_VALUE,
    most: 0,
  });
  const { epsilon } = options;
  if (epsilon !== undefined) checked('adafactor: epsilon', epsilon, notNegative);
  const leastScale = checked('adafactor: leastScale', options.leastScale ?? 1e-3, notNegative);
  const threshold = checked('adafactor: clippingThreshold', options.clippingThreshold ?? 1, positive);
  const settingsOf = parameterSettings('adafactor', options.weightDecay ?? 0, options.groups);
  return {
    name: 'adafactor',
    init: (parameters) =>
      Object.assign(
        {},
        ...Object.keys(parameters).map((name) => initial(name, named(parameters, name, 'the parameter'))),
      ) as NamedTensors,
    update: (gradients, state, parameters, step) => {
      const scalars = stepScalars(step, (before, settings) => {
        const taken = add(before, 1);
        const learningRate = rate(before, settings);
        return {
          share: power(taken, exponent),
          relative: negate(minimum(learningRate, divide(scalarOf(taken, 1), squareRoot(taken)))),
          shrink: negate(multiply(learningRate, settings.weightDecay)),
        };
      });
      const updates: Record<string, Float> = {};
      const kept: Record<string, Float> = {};
      for (const name of Object.keys(gradients)) {
        const parameter = named(parameters, name, 'the parameter');
        const settings = settingsOf(name);
        const { share, relative, shrink } = scalars(parameter.dtype, settings);
        const slope = named(gradients, name, 'the gradient');
        const least = epsilon ?? roundingUnit[parameter.dtype]!;
        const means = estimate(name, slope, state, share, least);
        const direction = divide(slope, squareRoot(maximum(means.second, least * least)));
        const length = multiply(relative, maximum(rootMeanSquare(parameter), leastScale));
        const excess = maximum(multiply(rootMeanSquare(direction), 1 / threshold), 1);
        const moved = multiply(direction, divide(length, excess));
        updates[name] = settings.weightDecay === 0 ? moved : add(moved, multiply(parameter, shrink));
        Object.assign(kept, means.kept);
      }
      return { updates, state: kept };
    },
  };
}

import {
  add,
  attention,
  embed,
  gelu,
  input,
  matmul,
  matmulTransposed,
  mean,
  multiply,
  rmsNorm,
  sparseCrossEntropy,
  square,
  subtract,
  trainStepGraphs,
  type Float,
  type FloatScalar,
  type NamedTensors,
  type Optimizer,
  type Size,
  type Symbolic,
  type TrainStepGraphs,
} from '@user-llm/graph';
import { elements, Random, Tensor, type Axes } from '@user-llm/tensor';

/** Gradient descent with momentum, so that there is state to carry. */
export function momentum(rate: number): Optimizer {
  const name = (parameter: string): string => `momentum/${parameter}`;
  return {
    name: 'momentum',
    init: (parameters) =>
      Object.fromEntries(
        Object.entries(parameters).map(([key, parameter]) => [name(key), multiply(parameter as Float, 0)]),
      ),
    update: (gradients, state) => {
      const moved = Object.entries(gradients).map(([key, slope]) => {
        const kept = multiply(state[name(key)] as Float, 0.9) as Float;
        return [key, add(kept, slope as Float) as Symbolic] as const;
      });
      return {
        updates: Object.fromEntries(moved.map(([key, velocity]) => [key, multiply(velocity as Float, -rate)])),
        state: Object.fromEntries(moved.map(([key, velocity]) => [name(key), velocity])),
      };
    },
  };
}

/** A tensor of normal numbers that depends on its name and axes alone. */
export function normal(name: string, axes: Axes, shape: readonly number[], deviation = 0.4): Tensor {
  const data = new Float32Array(elements(shape));
  Random.fromSeed(7).split(name).normal(data, { standardDeviation: deviation });
  return new Tensor('float32', axes, shape, data) as Tensor;
}

/** Whole numbers below a bound. */
export function whole(name: string, axes: Axes, shape: readonly number[], below: number): Tensor {
  const data = new Float32Array(elements(shape));
  Random.fromSeed(7).split(name).uniform(data);
  return new Tensor(
    'int32',
    axes,
    shape,
    Int32Array.from(data, (value) => Math.floor(value * below)),
  ) as Tensor;
}

/** A model as tests train it: its graphs, what to start from, what to feed. */
export interface Trained {
  readonly graphs: TrainStepGraphs;
  readonly initial: Readonly<Record<string, Tensor>>;
  readonly frozen: Readonly<Record<string, Tensor>>;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

function startOf(parameters: NamedTensors, optimizer: Optimizer): Record<string, Tensor> {
  const values = Object.entries(parameters).map(([name, { axes, shape }]) => {
    return [name, normal(name, axes, shape as readonly number[])] as const;
  });
  const state = Object.entries(optimizer.init(parameters)).map(([name, { axes, shape }]) => {
    return [name, normal(name, axes, shape as readonly number[], 0)] as const;
  });
  const step = new Tensor('float32', [], [], Float32Array.of(0)) as Tensor;
  return { ...Object.fromEntries([...values, ...state]), step };
}

/** Two layers fitted to targets by least squares; the first is frozen if asked. */
export function perceptron(
  batch: number,
  options: { readonly frozen?: boolean; readonly rate?: number } = {},
): Trained {
  const x = input('x', 'float32', ['row', 'feature'], [batch, 5]);
  const y = input('y', 'float32', ['row', 'target'], [batch, 3]);
  const inner = input('inner', 'float32', ['feature', 'hidden'], [5, 8]);
  const outer = input('outer', 'float32', ['hidden', 'target'], [8, 3]);
  const hidden = gelu(matmul(x, inner));
  const loss = mean(square(subtract(matmul(hidden, outer), y))) as FloatScalar;
  const optimizer = momentum(options.rate ?? 0.05);
  const parameters: NamedTensors = options.frozen ? { outer } : { inner, outer };
  const activity = mean(hidden);
  const inputs = [x, y, inner, outer];
  return {
    graphs: trainStepGraphs({ inputs, loss, parameters, optimizer, metrics: { activity } }),
    initial: startOf(parameters, optimizer),
    frozen: options.frozen ? { inner: normal('inner', inner.axes, [5, 8]) } : {},
    feeds: { x: normal('x', x.axes, [batch, 5], 1), y: normal('y', y.axes, [batch, 3], 1) },
  };
}

/** What a small language model reads and has. */
export function languageModel(batch: Size, time: Size) {
  const [tokens, width] = [11, 32];
  const ids = input('ids', 'int32', ['user', 'time'], [batch, time]);
  const table = input('table', 'float32', ['token', 'width'], [tokens, width]);
  const gain = input('gain', 'float32', ['width'], [width]);
  const [query, key, value] = ['query', 'key', 'value'].map((name) =>
    input(name, 'float32', ['width', 'inner'], [width, width]),
  );
  const events = embed(table, ids as never) as Float<readonly ['user', 'time', 'width']>;
  const normed = rmsNorm(events, gain, 1e-6);
  const side = (weight: Float<readonly ['width', 'inner']>) => matmul(normed, weight);
  const mixed = attention(side(query!), side(key!), side(value!), { heads: 2, causal: true });
  const output = input('output', 'float32', ['inner', 'width'], [width, width]);
  const stream = add(events, matmul(mixed, output));
  const logits = matmulTransposed(stream, table);
  const parameters: NamedTensors = { table, gain, query: query!, key: key!, value: value!, output };
  return { ids, logits, parameters, tokens };
}

/** The small language model's training step. */
export function attentionModel(batch: number, time: number): Trained {
  const { ids, logits, parameters, tokens } = languageModel(batch, time);
  const labels = input('labels', 'int32', ['user', 'time'], [batch, time]);
  const loss = sparseCrossEntropy(logits, labels as never);
  const optimizer = momentum(0.05);
  return {
    graphs: trainStepGraphs({ inputs: [ids, labels, ...Object.values(parameters)], loss, parameters, optimizer }),
    initial: startOf(parameters, optimizer),
    frozen: {},
    feeds: {
      ids: whole('ids', ids.axes, [batch, time], tokens),
      labels: whole('labels', labels.axes, [batch, time], tokens),
    },
  };
}

/** The numbers of a tensor. */
export function numbers(tensor: Tensor): number[] {
  return Array.from(tensor.cast('float64').contiguous().data);
}

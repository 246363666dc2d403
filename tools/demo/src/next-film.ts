import {
  add,
  embed,
  gradients,
  graph,
  input,
  matmulTransposed,
  mean,
  multiply,
  sparseCrossEntropy,
  subtract,
  type Float,
} from '@user-llm/graph';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { Random, Tensor, type Id } from '@user-llm/tensor';
import type { Histories } from './ratings.js';

/** How to train. */
export interface NextFilmOptions {
  readonly steps: number;
  readonly seed: number;
  /** Told the loss, in nats, before each step's update. */
  readonly progress?: (step: number, loss: number) => void;
}

/** What training led to. */
export interface NextFilmResult {
  /** What computed. */
  readonly engine: string;
  /** The loss of every step, in nats. */
  readonly losses: readonly number[];
  /** Share of users whose last film is among the model's 50 first guesses. */
  readonly modelHits: number;
  /** Share of users whose last film is among the 50 films most often rated by all. */
  readonly popularityHits: number;
}

const events = 10;
const width = 32;
const batch = 256;
const learningRate = 4;
const momentum = 0.9;
const guesses = 50;

/**
 * Trains `logits = mean(embedding of the last ten films) x embedding^T + bias` by stochastic gradient descent with
 * momentum. Every user's last film is kept out and asked for in the end.
 *
 * @throws UserLlmError as `OnnxRuntime.create`.
 */
export async function trainNextFilm(histories: Histories, options: NextFilmOptions): Promise<NextFilmResult> {
  const { films } = histories;
  const users = histories.users.filter((history) => history.length > events + 1);
  const random = Random.fromSeed(options.seed);
  const runtime = await OnnxRuntime.create();

  const history = input('history', 'int32' as Id<'film'>, ['event', 'batch'], [events, batch]);
  const label = input('label', 'int32', ['batch'], [batch]);
  const table = input('table', 'float32', ['film', 'width'], [films, width]);
  const bias = input('bias', 'float32', ['film'], [films]);
  const tableVelocity = input('tableVelocity', 'float32', ['film', 'width'], [films, width]);
  const biasVelocity = input('biasVelocity', 'float32', ['film'], [films]);

  const user: Float<readonly ['batch', 'width']> = mean(embed(table, history), 'event');
  const logits = add(matmulTransposed(user, table), bias);
  const loss = sparseCrossEntropy<readonly ['batch'], 'film'>(logits, label);
  const slope = gradients(loss, { table, bias });
  const nextTableVelocity = add(multiply(tableVelocity, momentum), slope.table);
  const nextBiasVelocity = add(multiply(biasVelocity, momentum), slope.bias);
  const training = graph([history, label, table, bias, tableVelocity, biasVelocity], {
    loss,
    nextTableVelocity,
    nextBiasVelocity,
    nextTable: subtract(table, multiply(nextTableVelocity, learningRate)),
    nextBias: subtract(bias, multiply(nextBiasVelocity, learningRate)),
  });
  const step = await runtime.compileTrainStep(training, {
    carry: {
      table: 'nextTable',
      bias: 'nextBias',
      tableVelocity: 'nextTableVelocity',
      biasVelocity: 'nextBiasVelocity',
    },
    initial: {
      table: new Tensor(
        'float32',
        ['film', 'width'],
        [films, width],
        random.split('table').normal(films * width, { standardDeviation: 0.1 }),
      ),
      bias: new Tensor('float32', ['film'], [films]),
      tableVelocity: new Tensor('float32', ['film', 'width'], [films, width]),
      biasVelocity: new Tensor('float32', ['film'], [films]),
    },
  });

  const draws = random.split('batches').stream();
  const losses: number[] = [];
  for (let at = 1; at <= options.steps; at++) {
    const windows = Array.from({ length: batch }, () => {
      const user = users[draws.below(users.length)]!;
      const end = events + draws.below(user.length - 1 - events);
      return { history: user.slice(end - events, end), label: user[end]! };
    });
    const outputs = await step.run({
      history: historyTensor(windows.map((window) => window.history)),
      label: new Tensor(
        'int32',
        ['batch'],
        [batch],
        Int32Array.from(windows, (window) => window.label),
      ),
    });
    const value = Number((await outputs['loss']!.read()).data[0]);
    outputs['loss']!.dispose();
    losses.push(value);
    options.progress?.(at, value);
  }

  const scoring = await runtime.compile(graph([history, table, bias], { logits }));
  const learned = { table: step.state['table']!, bias: step.state['bias']! };
  let modelHits = 0;
  for (let first = 0; first < users.length; first += batch) {
    const asked = users.slice(first, first + batch);
    const padded = Array.from({ length: batch }, (_, at) => (asked[at] ?? asked[0]!).slice(-events - 1, -1));
    const outputs = await scoring.run({ history: historyTensor(padded), ...learned });
    const scores = (await outputs['logits']!.read()).data as Float32Array;
    outputs['logits']!.dispose();
    asked.forEach((user, at) => {
      if (isAmongBest(scores.subarray(at * films, (at + 1) * films), user.at(-1)!)) modelHits += 1;
    });
  }

  const popularity = new Float32Array(films);
  for (const user of users) for (const film of user.slice(0, -1)) popularity[film]! += 1;
  const popularityHits = users.filter((user) => isAmongBest(popularity, user.at(-1)!)).length;
  return {
    engine: `ONNX Runtime ${runtime.engine.version}`,
    losses,
    modelHits: modelHits / users.length,
    popularityHits: popularityHits / users.length,
  };
}

function historyTensor(rows: readonly (readonly number[])[]): Tensor<Id<'film'>, readonly ['event', 'batch']> {
  const ids = new Int32Array(events * rows.length);
  rows.forEach((row, user) => {
    row.forEach((film, event) => (ids[event * rows.length + user] = film));
  });
  return new Tensor('int32' as Id<'film'>, ['event', 'batch'], [events, rows.length], ids);
}

/** Whether fewer than `guesses` others score at least as high: ties count against the model. */
function isAmongBest(scores: Float32Array, film: number): boolean {
  return scores.reduce((better, score) => better + (score >= scores[film]! ? 1 : 0), -1) < guesses;
}

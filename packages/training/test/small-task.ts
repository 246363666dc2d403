import { add, dropout, input, matmul, parameter, sparseCrossEntropy, type SymbolicParameters } from '@user-llm/graph';
import { Random, Tensor } from '@user-llm/tensor';
import type { TrainingTask } from '../src/index.js';

const width = 6;
const labels = 4;

function classifier() {
  const initializer = { kind: 'normal', standardDeviation: 0.3 } as const;
  return {
    body: { weight: parameter(['width', 'hidden'], [width, 8], initializer) },
    head: { weight: parameter(['hidden', 'label'], [8, labels], initializer) },
    gates: { gate: parameter(['label'], [labels], { kind: 'constant', value: 0 }) },
    unread: { weight: parameter(['hidden', 'label'], [8, labels], initializer) },
  };
}

type Symbols = SymbolicParameters<ReturnType<typeof classifier>>;

/** A small classifier with dropout on random points, whose batches are found by their number. */
export function smallTask({
  broken,
  rate = 0.2,
  rows,
}: {
  /** The batch that has a NaN. */
  readonly broken?: number;
  /** Share that is dropped. */
  readonly rate?: number;
  /** Points of each batch, the next ones of one sequence; 8 or 5 of its own when absent. */
  readonly rows?: number;
} = {}): TrainingTask {
  return {
    name: 'small',
    parameters: classifier(),
    loss: (tree: Symbols, { x, y }) => {
      const x_BW = input('x', 'float32', ['batch', 'width'], x as never);
      const y_B = input('y', 'int32', ['batch'], y as never);
      const seed = input('seed', 'int32', [], []);
      const hidden = dropout(matmul(x_BW, tree.body.weight), rate, seed, 0);
      const logits = add(matmul(hidden, tree.head.weight), tree.gates.gate);
      return { inputs: [x_BW, y_B, seed], loss: sparseCrossEntropy(logits, y_B) };
    },
    async *batches(from) {
      for (let number = from === undefined ? 0 : Number(from); ; number++) {
        await Promise.resolve();
        const count = rows ?? (number % 3 === 2 ? 5 : 8);
        const points = Array.from({ length: count }, (_, row) => Random.fromSeed(5).at((rows ?? 8) * number + row));
        const data = new Float32Array(count * width);
        points.forEach((point, row) => point.split('x').normal(data.subarray(row * width, (row + 1) * width)));
        if (number === broken) data[3] = Number.NaN;
        const classes = points.map((point) => point.split('y').stream().below(labels));
        yield {
          feeds: {
            x: new Tensor('float32', ['batch', 'width'], [count, width], data),
            y: new Tensor('int32', ['batch'], [count], Int32Array.from(classes)),
          },
          examples: count,
          contents: { users: [`user of batch ${number}`] },
          cursor: number + 1,
        };
      }
    },
    validate: async (weights) => {
      const gate = weights['gates.gate']!;
      const { data } = 'read' in gate ? await gate.read() : gate;
      return { sum: Array.from(data, Number).reduce((sum, x) => sum + x, 0) };
    },
  };
}

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
export function smallTask({ broken }: { readonly broken?: number } = {}): TrainingTask {
  return {
    name: 'small',
    parameters: classifier(),
    loss: (tree: Symbols, { x, y }) => {
      const x_BW = input('x', 'float32', ['batch', 'width'], x as never);
      const y_B = input('y', 'int32', ['batch'], y as never);
      const seed = input('seed', 'int32', [], []);
      const hidden = dropout(matmul(x_BW, tree.body.weight), 0.2, seed, 0);
      const logits = add(matmul(hidden, tree.head.weight), tree.gates.gate);
      return { inputs: [x_BW, y_B, seed], loss: sparseCrossEntropy(logits, y_B) };
    },
    async *batches(from) {
      for (let number = from === undefined ? 0 : Number(from); ; number++) {
        await Promise.resolve();
        const random = Random.fromSeed(5).at(number);
        const rows = number % 3 === 2 ? 5 : 8;
        const data = random.split('x').normal(rows * width);
        if (number === broken) data[3] = Number.NaN;
        yield {
          feeds: {
            x: new Tensor('float32', ['batch', 'width'], [rows, width], data),
            y: new Tensor('int32', ['batch'], [rows], random.split('y').integers(rows, labels)),
          },
          examples: rows,
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

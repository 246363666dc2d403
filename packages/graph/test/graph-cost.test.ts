import { describe, expect, it } from 'vitest';
import { add, cost, flops, graph, input, matmul, optimize, relu, symbol } from '../src/index.js';
import { symbolic, tiny, transformerGraph } from './support/transformer.js';

const linear = (rows: number | ReturnType<typeof symbol>) => {
  const x = input('x', 'float32', ['row', 'width'], [rows, 3]);
  const w = input('w', 'float32', ['width', 'out'], [3, 5]);
  const b = input('b', 'float32', ['out'], [5]);
  return graph([x, w, b], { y: relu(add(matmul(x, w), b)) });
};

describe('cost', () => {
  it('counts a linear map with a bias and a rectifier', () => {
    expect(cost(linear(2))).toEqual({
      flops: 2 * 2 * 3 * 5 + 10 + 10,
      bytes: 4 * (2 * 3 + 3 * 5 + 10 + (10 + 5 + 10) + (10 + 10)),
      byOperator: {
        input: { flops: 0, bytes: 0, nodes: 3 },
        matmul: { flops: 60, bytes: 4 * (6 + 15 + 10), nodes: 1 },
        add: { flops: 10, bytes: 4 * 25, nodes: 1 },
        relu: { flops: 10, bytes: 4 * 20, nodes: 1 },
      },
    });
  });

  it('takes the values of symbolic sizes as an object or a map', () => {
    const source = linear(symbol('batch'));
    expect(flops(source, { batch: 7 })).toBe(7 * (2 * 3 * 5 + 5 + 5));
    expect(flops(source, new Map([['batch', 0]]))).toBe(0);
    expect(() => flops(source)).toThrow(expect.objectContaining({ code: 'unbound-size' }));
  });

  it('counts the matrix products of a language model: backward twice as many as forward', () => {
    const { width, vocabulary } = tiny;
    const [batch, tokens, layers] = [2, 3, 2];
    const projections = 4 * 2 * batch * tokens * width * width;
    const mixing = 2 * (2 * batch * tokens * tokens * width);
    const feedForward = 2 * (2 * batch * tokens * width * 4 * width);
    const head = 2 * batch * tokens * width * vocabulary;
    const forward = layers * (projections + mixing + feedForward) + head;
    const source = transformerGraph({ ...symbolic, layers });
    const counted = cost(source, { batch, token: tokens });
    expect(counted.byOperator['matmul']!.flops).toBe(3 * forward);
    expect(counted.flops).toBe(Object.values(counted.byOperator).reduce((total, part) => total + part.flops, 0));
    expect(counted.bytes).toBe(Object.values(counted.byOperator).reduce((total, part) => total + part.bytes, 0));
  });

  it('is not raised by optimisation', () => {
    const source = transformerGraph({ ...tiny, dropout: 0.1 });
    const before = cost(source);
    const after = cost(optimize(source));
    expect(after.byOperator['matmul']!.flops).toBe(before.byOperator['matmul']!.flops);
    expect(after.flops).toBeLessThan(before.flops);
    expect(after.bytes).toBeLessThan(before.bytes);
  });
});

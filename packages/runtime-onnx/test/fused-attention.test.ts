import { attention, evaluate, graph, input, symbol, toReference, type AttentionOptions } from '@user-llm/graph';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lower } from '../src/lowering/lower.js';
import { OnnxRuntime } from '../src/index.js';
import { normal, numbers } from './support/models.js';

const [batch, queries, keys] = [symbol('batch'), symbol('query'), symbol('key')];

/** Attention of symbolic sizes, over keys of its own when it is causal. */
function attentionGraph(options: AttentionOptions) {
  const keyCount = options.causal ? queries : keys;
  const query = input('query', 'float32', ['user', 'time', 'width'], [batch, queries, 64]);
  const key = input('key', 'float32', ['user', 'past', 'inner'], [batch, keyCount, 64]);
  const value = input('value', 'float32', ['user', 'past', 'inner'], [batch, keyCount, 64]);
  return graph([query, key, value], { y: attention(query, key, value, options) });
}

const nodes = (options: AttentionOptions): string[] => lower(attentionGraph(options)).nodes.map(({ op }) => op);

test('attention is one node where ONNX Runtime has the same, and parts elsewhere', () => {
  expect(nodes({ heads: 4 })).toEqual(['MultiHeadAttention']);
  expect(nodes({ heads: 4, causal: true })).toEqual(['MultiHeadAttention']);
  expect(nodes({ heads: 4, softCap: 3 })).toContain('Softmax');
  expect(nodes({ heads: 4, causal: true, window: 2 })).toContain('Softmax');
});

describe.each([1, 2])('on %d threads', (threads) => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ intraOpThreads: threads });
  });
  afterAll(() => runtime.dispose());

  test.each([{ heads: 4 }, { heads: 4, causal: true }])('equals the reference for all sizes: %o', async (options) => {
    const source = attentionGraph(options);
    const program = await runtime.compile(source);
    for (const [users, events, past] of [
      [1, 1, 1],
      [0, 3, 3],
      [2, 0, 0],
      [2, 37, 37],
      [1, 200, options.causal ? 200 : 130],
    ] as const) {
      const feeds = {
        query: normal('query', ['user', 'time', 'width'], [users, events, 64], 1),
        key: normal('key', ['user', 'past', 'inner'], [users, past, 64], 1),
        value: normal('value', ['user', 'past', 'inner'], [users, past, 64], 1),
      };
      const arrays = Object.entries(feeds).map(([name, tensor]) => [name, toReference(tensor)] as const);
      const wanted = evaluate(source, Object.fromEntries(arrays))['y']!;
      const got = (await program.run(feeds))['y']!.readSync();
      expect(got.shape).toEqual(wanted.shape);
      expect(Math.max(0, ...numbers(got).map((value, at) => Math.abs(value - wanted.data[at]!)))).toBeLessThan(2e-5);
    }
    await program.dispose();
  });
});

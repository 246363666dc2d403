import {
  add,
  evaluate,
  graph,
  input,
  multiply,
  rmsNorm,
  symbol,
  toReference,
  type Float,
  type Graph,
} from '@user-llm/graph';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OnnxRuntime } from '../src/index.js';
import { lower } from '../src/lowering/lower.js';
import { normal, numbers } from './support/models.js';

const width = 12;
const axes = ['batch', 'token', 'width'] as const;
const shape = [symbol('batch'), symbol('token'), width] as const;
const x = input('x', 'float32', axes, shape);
const more = input('more', 'float32', axes, shape);
const weight = input('weight', 'float32', ['width'], [width]);

/** A residual stream: what is added, its norm, and what reads both. */
function stream(): Graph {
  const first = add(x, more);
  const normalized = rmsNorm<['batch', 'token'], 'width'>(first, weight, 1e-5);
  const second = add(first, multiply(normalized, 2));
  return graph([x, more, weight], { second, again: rmsNorm<['batch', 'token'], 'width'>(second, weight, 1e-5) });
}

const operators = (source: Graph): string[] => lower(source).nodes.map(({ op }) => op);

describe('sums that a norm reads', () => {
  test('are made by the node of the norm, also where they come out themselves', () => {
    expect(operators(stream())).toEqual([
      'SkipSimplifiedLayerNormalization',
      'Mul',
      'SkipSimplifiedLayerNormalization',
    ]);
  });

  test.each<readonly [string, Graph]>([
    [
      'of unequal shapes',
      graph([x, weight], {
        y: rmsNorm<['batch', 'token'], 'width'>(add(x, weight as Float) as Float<typeof axes>, weight, 1e-5),
      }),
    ],
    [
      'of four axes',
      (() => {
        const four = input('four', 'float32', ['a', 'b', 'c', 'width'], [1, 2, 3, width]);
        return graph([four, weight], { y: rmsNorm<['a', 'b', 'c'], 'width'>(add(four, four), weight, 1e-5) });
      })(),
    ],
    [
      'with gains that come later',
      (() => {
        const sum = add(x, more);
        const gains = rmsNorm<[], 'width'>(weight as never, weight, 1e-5);
        const made = graph([x, more, weight], { sum, y: rmsNorm<['batch', 'token'], 'width'>(sum, gains, 1e-5) });
        return made;
      })(),
    ],
  ])('stay apart %s', (_, source) => {
    expect(operators(source)).not.toContain('SkipSimplifiedLayerNormalization');
  });
});

describe('on ONNX Runtime', () => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  });
  afterAll(() => runtime.dispose());

  test.each([
    [2, 3],
    [1, 1],
    [0, 3],
  ])('both come to the same as apart: %i rows of %i', async (batch, token) => {
    const source = stream();
    const feeds = {
      x: normal('x', axes, [batch, token, width], 1),
      more: normal('more', axes, [batch, token, width], 2),
      weight: normal('weight', ['width'], [width], 3),
    };
    const wanted = evaluate(
      source,
      Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toReference(tensor)])),
    );
    const program = await runtime.compile(source);
    const results = await program.run(feeds);
    for (const [name, value] of Object.entries(results)) {
      const got = numbers(await value.read());
      expect(got.length).toBe(wanted[name]!.data.length);
      got.forEach((number, at) => {
        expect(number).toBeCloseTo(Number(wanted[name]!.data[at]), 5);
      });
    }
    await program.dispose();
  });
});

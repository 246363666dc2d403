import { evaluate, holdScores, operators, type Graph } from '@user-llm/graph';
import { exampleCases } from '@user-llm/graph/testing';
import { Tensor, type BaseDType, type TypedArray } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lower } from '../src/lowering/lower.js';
import { multipliesIntegers, oldestRelease, releaseOf } from '../src/lowering/releases.js';
import { readModel, writeModel } from '../src/onnx-model.js';
import type { Engine, HostTensor } from '../src/ort/engine.js';
import { loadEngine } from '../src/ort/load-engine.js';

const { rotary, cachedAttention, attention, quantizedMatmul, layerNorm } = operators;
const fused = [rotary, cachedAttention, attention, quantizedMatmul, layerNorm];
const later = ['RotaryEmbedding', 'GroupQueryAttention', 'MultiHeadAttention', 'MatMulNBits', 'LayerNormalization'];

const nodes = (source: Graph, release: number): string[] => lower(source, { release }).nodes.map(({ op }) => op);

test('a release is the minor number of a version', () => {
  expect(releaseOf('1.30.0')).toBe(30);
});

test('products of whole numbers are those of newer releases', () => {
  expect([29, 30, 31].map(multipliesIntegers)).toEqual([false, true, true]);
});

test('attention is told to hold its scores where a release can be told', () => {
  const [cached] = exampleCases(cachedAttention);
  const inputs = (release: number): number =>
    lower(holdScores(cached!.graph), { release }).nodes.find(({ op }) => op === 'GroupQueryAttention')!.inputs.length;
  expect(inputs(30)).toBe(12);
  expect(inputs(29)).toBeLessThanOrEqual(9);
});

test('a model is of the oldest operator set that has its operators, which older releases read', () => {
  const versions = (source: Graph, release: number): readonly bigint[] => {
    const { irVersion, opsetImport } = readModel(writeModel(lower(source, { release })));
    return [irVersion, opsetImport.find(({ domain }) => domain === '')!.version];
  };
  const [turned] = exampleCases(rotary);
  expect(versions(turned!.graph, 23)).toEqual([11n, 23n]);
  expect(versions(turned!.graph, 22)).toEqual([8n, 18n]);
  expect(versions(exampleCases(operators.softmax)[0]!.graph, 30)).toEqual([8n, 18n]);
});

describe('what the oldest release has no node for', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await loadEngine({ engine: 'c-api' });
  });
  afterAll(() => engine.dispose());

  test.each(fused.flatMap((operator) => exampleCases(operator as never)))('$title', async ({ graph, feeds }) => {
    expect(nodes(graph, oldestRelease).filter((op) => later.includes(op))).toEqual([]);
    const session = await engine.createSession(writeModel(lower(graph, { release: oldestRelease })));
    const fed = Object.entries(feeds).map(([name, { dtype, shape, data }]): [string, HostTensor] => {
      const axes = graph.inputs[name]!.axes;
      const tensor = new Tensor('float64', axes, shape, data).cast(dtype);
      return [name, { dtype: dtype as BaseDType, shape, data: tensor.data as TypedArray }];
    });
    const results = await session.run(Object.fromEntries(fed));
    for (const [name, { data }] of Object.entries(evaluate(graph, feeds))) {
      const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
      data.forEach((value, at) => {
        expect(Math.abs(Number(results[name]!.data[at]) - value)).toBeLessThanOrEqual(2e-5 * largest);
      });
    }
    await session.dispose();
  });
});

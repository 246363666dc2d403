import { evaluate, operators, type Operator, type ReferenceArray } from '@user-llm/graph';
import { exampleCases, gradientCase } from '@user-llm/graph/testing';
import { Tensor, type Axes } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OnnxRuntime } from '../src/index.js';

const tolerance = 2e-5;

function toTensor(axes: Axes, { dtype, shape, data }: ReferenceArray): Tensor {
  return new Tensor('float64', axes, shape, data).cast(dtype) as Tensor;
}

function expectClose(actual: Tensor, wanted: ReferenceArray): void {
  expect(actual.dtype).toBe(wanted.dtype);
  expect(actual.shape).toEqual(wanted.shape);
  const numbers = actual.cast('float64').data;
  const scale = wanted.data.reduce(
    (largest, value) => (Number.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest),
    1,
  );
  wanted.data.forEach((value, at) => {
    if (!Number.isFinite(value)) expect(numbers[at]).toBe(value);
    else expect(Math.abs(numbers[at]! - value)).toBeLessThanOrEqual(tolerance * scale);
  });
}

describe.each([1, 2])('operators on %d threads', (threads) => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ intraOpThreads: threads });
  });
  afterAll(() => runtime.dispose());

  for (const operator of Object.values(operators) as Operator[]) {
    for (const example of exampleCases(operator)) {
      const differentiable = gradientCase(example);
      for (const { title, graph, feeds } of [
        example,
        ...(differentiable ? [{ ...differentiable, title: `gradient of ${example.title}` }] : []),
      ]) {
        it(title, async () => {
          const wanted = evaluate(graph, feeds);
          const program = await runtime.compile(graph);
          const tensors = Object.fromEntries(
            Object.entries(feeds).map(([name, array]) => [name, toTensor(graph.inputs[name]!.axes, array)]),
          );
          const results = await program.run(tensors);
          for (const [name, array] of Object.entries(wanted)) expectClose(results[name]!.readSync(), array);
          await program.dispose();
        });
      }
    }
  }
});

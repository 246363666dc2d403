import {
  evaluate,
  graph as graphOf,
  operators,
  reshape,
  type Graph,
  type Operator,
  type ReferenceArray,
  type Symbolic,
} from '@user-llm/graph';
import { exampleCases, gradientCase } from '@user-llm/graph/testing';
import { isFloat, Tensor } from '@user-llm/tensor';
import { describe, expect, test } from 'vitest';
import { TfjsRuntime } from '../src/index.js';
import { describeEngines } from './engines.js';

/** The outputs under axis names of their own: examples name axes by position, and a product may then have one twice. */
function withDistinctAxes({ inputs, outputs }: Graph): Graph {
  const named = Object.entries(outputs).map(([name, output]): [string, Symbolic] => {
    const axes = output.shape.map((_, axis) => `out${axis}`);
    return [name, new Set(output.axes).size < axes.length ? reshape(output, axes, [...output.shape]) : output];
  });
  return graphOf(Object.values(inputs), Object.fromEntries(named));
}

/** Runs a graph on the runtime and compares every output with the reference kernels'. */
async function agrees(
  runtime: TfjsRuntime,
  source: Graph,
  feeds: Readonly<Record<string, ReferenceArray>>,
): Promise<void> {
  const graph = withDistinctAxes(source);
  const program = await runtime.compile(graph);
  const fed = Object.entries(feeds).map(([name, { dtype, shape, data }]) => {
    const axes = graph.inputs[name]!.axes;
    return [name, new Tensor('float64', axes, shape, data).cast(dtype) as Tensor] as const;
  });
  const results = await program.run(Object.fromEntries(fed));
  const expected = evaluate(graph, feeds);
  for (const [name, value] of Object.entries(results)) {
    const { shape, data } = expected[name]!;
    const got = await value.read();
    expect(got.shape, name).toEqual([...shape]);
    expect(got.dtype, name).toBe(graph.outputs[name]!.dtype);
    const scale = data.reduce((largest, x) => (Number.isFinite(x) ? Math.max(largest, Math.abs(x)) : largest), 1);
    const numbers = Array.from(got.data, Number);
    data.forEach((want, at) => {
      const ours = numbers[at]!;
      if (!isFloat(got.dtype) || !Number.isFinite(want))
        expect(ours, `${name}[${at}]`).toBe(isFloat(got.dtype) ? want : want | 0);
      else expect(Math.abs(ours - want), `${name}[${at}]: ${ours} for ${want}`).toBeLessThan(2e-5 * scale);
    });
    value.dispose();
  }
  program.dispose();
}

describeEngines('every operator', (_, name) => {
  for (const operator of Object.values(operators) as Operator<never>[]) {
    const cases = exampleCases(operator as Operator);
    if (cases.length === 0) continue;
    describe(operator.name, () => {
      for (const example of cases) {
        test(`${example.title}`, async () => {
          const runtime = await TfjsRuntime.create({ engine: name });
          const { memory } = runtime.engine.tf;
          const before = memory().numTensors;
          await agrees(runtime, example.graph, example.feeds);
          const slopes = gradientCase(example);
          if (slopes) await agrees(runtime, slopes.graph, slopes.feeds);
          expect(memory().numTensors).toBe(before);
        });
      }
    });
  }
});

import { evaluate, operators, type Operator, type ReferenceArray, type Runtime } from '@user-llm/graph';
import { exampleCases, gradientCase, type ExampleCase } from '@user-llm/graph/testing';
import { isFloat, Tensor } from '@user-llm/tensor';
import { demand, type Check } from './check.js';
import { programChecks } from './program.js';
import { runtimeEdgeChecks } from './runtime-edges.js';

/**
 * How far real numbers of a runtime in float32 may be from the reference in float64, relative to the largest element
 * or 1; other elements are equal.
 */
const tolerance = 2e-5;

function toTensor({ dtype, shape, data }: ReferenceArray, axes: readonly string[]): Tensor {
  return new Tensor('float64', axes, shape, data).cast(dtype) as Tensor;
}

async function agrees(runtime: Runtime, { graph, feeds }: Pick<ExampleCase, 'graph' | 'feeds'>): Promise<void> {
  const wanted = evaluate(graph, feeds);
  const program = await runtime.compile(graph);
  try {
    const fed = Object.entries(feeds).map(
      ([name, array]) => [name, toTensor(array, graph.inputs[name]!.axes)] as const,
    );
    const results = await program.run(Object.fromEntries(fed));
    for (const [name, array] of Object.entries(wanted)) {
      const tensor = await results[name]!.read();
      results[name]!.dispose();
      demand(tensor.dtype === array.dtype, name, array.dtype, tensor.dtype);
      demand(`${tensor.shape}` === `${array.shape}`, name, `[${array.shape}]`, `[${tensor.shape}]`);
      const numbers = tensor.cast('float64').contiguous().data;
      const scale = array.data.reduce(
        (largest, value) => (Number.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest),
        1,
      );
      array.data.forEach((value, at) => {
        const bound = isFloat(array.dtype) ? tolerance * scale : 0;
        const near = Number.isFinite(value) ? Math.abs(numbers[at]! - value) <= bound : Object.is(numbers[at], value);
        demand(near, `${name}, element ${at}`, `${value}`, `${numbers[at]}`);
      });
    }
  } finally {
    await program.dispose();
  }
}

/**
 * What every runtime must do: every operator of the table, forward and gradient, as the reference kernels do; refuse
 * indices, labels and divisors that are errors; add up repeated indices exactly; take inputs that are given once; write
 * outputs into the values it is told to.
 *
 * @param runtime Loads when the first check runs.
 * @param more Operators besides those of the table.
 */
export function runtimeChecks(runtime: () => Promise<Runtime>, more: readonly Operator[] = []): readonly Check[] {
  const all = [...(Object.values(operators) as Operator[]), ...more];
  const perOperator = all.flatMap((operator) =>
    exampleCases(operator).flatMap((example) => {
      const gradient = gradientCase(example);
      const check = (name: string, test: Pick<ExampleCase, 'graph' | 'feeds'>): Check => ({
        name,
        run: async () => agrees(await runtime(), test),
      });
      return [check(example.title, example), ...(gradient ? [check(`gradient of ${example.title}`, gradient)] : [])];
    }),
  );
  return [...perOperator, ...runtimeEdgeChecks(runtime), ...programChecks(runtime)];
}

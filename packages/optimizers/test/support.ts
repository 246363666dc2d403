import { evaluate, graph, input, type NamedTensors, type Optimizer, type Symbolic } from '@user-llm/graph';

/** What the reference kernels take and give. */
export type Arrays = ReturnType<typeof evaluate>;
/** Values by name, in row-major order. */
export type Values = Readonly<Record<string, readonly number[]>>;

/** Inputs of the shapes, of float64, with axes of names of their own. */
export function inputs(shapes: Readonly<Record<string, readonly number[]>>, prefix = ''): Record<string, Symbolic> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      input(
        prefix + name,
        'float64',
        shape.map((_, axis) => `axis${axis}`),
        shape,
      ),
    ]),
  );
}

function asArrays(values: Values, tensors: NamedTensors, prefix = ''): Arrays {
  return Object.fromEntries(
    Object.entries(values).map(([name, data]) => [
      prefix + name,
      {
        dtype: tensors[name]!.dtype,
        shape: tensors[name]!.shape as readonly number[],
        data: Float64Array.from(data),
      },
    ]),
  );
}

const listed = (arrays: Arrays, names: readonly string[]): Record<string, number[]> =>
  Object.fromEntries(names.map((name) => [name, Array.from(arrays[name]!.data)]));

/** What one run of an optimizer left behind. */
export interface Walk {
  /** The parameters after each step. */
  readonly parameters: readonly Record<string, number[]>[];
  /** The state after each step. */
  readonly states: readonly Record<string, number[]>[];
}

/** Runs an optimizer over gradients by the reference kernels, its parameters and state in float64. */
export function walk(
  optimizer: Optimizer,
  shapes: Readonly<Record<string, readonly number[]>>,
  start: Values,
  gradients: readonly Values[],
): Walk {
  const parameters = inputs(shapes);
  const slopes = inputs(shapes, 'gradient/');
  const step = input('step', 'float32', [], []);
  const initial = optimizer.init(parameters);
  const state = Object.fromEntries(
    Object.entries(initial).map(([name, { dtype, axes, shape }]) => [
      name,
      input(name, dtype, axes, shape as never) as Symbolic,
    ]),
  );
  const result = optimizer.update(slopes, state, parameters, step);
  const all = [parameters, slopes, state].flatMap((tensors) => Object.values(tensors));
  const update = graph([...all, step], {
    ...Object.fromEntries(Object.entries(result.updates).map(([name, tensor]) => [`update/${name}`, tensor])),
    ...result.state,
  });
  let values: Values = start;
  let held = evaluate(graph(Object.values(parameters), initial), asArrays(start, parameters));
  const parametersAfter: Record<string, number[]>[] = [];
  const statesAfter: Record<string, number[]>[] = [];
  gradients.forEach((gradient, taken) => {
    const outputs = evaluate(update, {
      ...asArrays(values, parameters),
      ...asArrays(gradient, slopes, 'gradient/'),
      ...held,
      step: { dtype: 'float32', shape: [], data: Float64Array.of(taken) },
    });
    const moved = Object.fromEntries(
      Object.entries(values).map(([name, old]) => [
        name,
        old.map((value, at) => value + outputs[`update/${name}`]!.data[at]!),
      ]),
    );
    held = Object.fromEntries(Object.keys(held).map((name) => [name, outputs[name]!]));
    values = moved;
    parametersAfter.push(moved);
    statesAfter.push(listed(held, Object.keys(held)));
  });
  return { parameters: parametersAfter, states: statesAfter };
}

/** The largest difference of values by name, relative to the largest value of each tensor, or absolute below 1. */
export function difference(got: Values, expected: Values): number {
  const names = Object.keys(expected);
  if (names.join() !== Object.keys(got).join()) return Infinity;
  return Math.max(
    ...names.map((name) => {
      const wanted = expected[name]!;
      const size = Math.max(1, ...wanted.map(Math.abs));
      return Math.max(...wanted.map((value, at) => Math.abs(value - got[name]![at]!))) / size;
    }),
  );
}

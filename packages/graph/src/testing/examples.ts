import { elements, isFloat, Random, type DType } from '@user-llm/tensor';
import { graph, type Graph } from '../graph.js';
import { apply, type Example, type ExampleInput, type Operator, type ReferenceArray } from '../operator.js';
import { input } from '../operators/input.js';
import { referenceArray } from '../reference-kernels.js';
import type { Attributes, Symbolic } from '../symbolic.js';

/** An operator's example as something that runs. */
export interface ExampleCase {
  /** `operator: example`. */
  readonly title: string;
  readonly operator: Operator;
  readonly attributes: Attributes;
  /** Whether finite differences tell the gradient here. */
  readonly smooth: boolean;
  /** Inputs `x0`, `x1`, ...; outputs `y0`, `y1`, .... */
  readonly graph: Graph;
  readonly inputs: readonly Symbolic[];
  readonly outputs: readonly Symbolic[];
  /** What to feed, rounded to the precision of each input's dtype. */
  readonly feeds: Readonly<Record<string, ReferenceArray>>;
}

function draw({ shape, dtype = 'float32', values = 'normal' }: ExampleInput, random: Random): Float64Array {
  const count = elements(shape);
  if (Array.isArray(values)) return Float64Array.from(values as readonly number[]);
  const data = new Float64Array(count);
  if (typeof values === 'object') {
    const below = (values as { readonly below: number }).below;
    return random.uniform(data).map((value) => Math.floor(value * below));
  }
  if (values === 'normal') random.normal(data);
  else if (values === 'positive') random.uniform(data).forEach((value, at) => (data[at] = 0.5 + 1.5 * value));
  else
    random.permutation(count).forEach((place, at) => (data[at] = (Number(place) - Math.floor(count / 2)) * 0.1 + 0.05));
  return round(dtype, data);
}

function round(dtype: DType, data: Float64Array): Float64Array {
  return dtype === 'float32' ? Float64Array.from(Float32Array.from(data)) : data;
}

/**
 * The examples of an operator as graphs with values to feed; the same seed gives the same values.
 *
 * @param seed Where the random values of `normal`, `positive` and `distinct` inputs come from.
 */
export function exampleCases<A extends Attributes>(operator: Operator<A>, seed = 0): ExampleCase[] {
  return operator.examples.map((example) => exampleCase(operator, example, seed));
}

function exampleCase<A extends Attributes>(operator: Operator<A>, example: Example<A>, seed: number): ExampleCase {
  const random = Random.fromSeed(seed).split(`${operator.name}: ${example.name}`);
  const named = example.inputs.map((spec, at) => {
    const { shape, dtype = 'float32' } = spec;
    const axes = shape.map((_, axis) => `axis${at}of${axis}`);
    return {
      tensor: input(`x${at}`, dtype, axes, shape) as Symbolic,
      array: referenceArray(dtype, shape, draw(spec, random.split(`${at}`))),
    };
  });
  const inputs = named.map(({ tensor }) => tensor);
  const outputs = apply(operator, inputs, example.attributes).slice(0, example.judged);
  return {
    title: `${operator.name}: ${example.name}`,
    operator,
    attributes: example.attributes,
    smooth: example.smooth ?? true,
    graph: graph(inputs, Object.fromEntries(outputs.map((output, at) => [`y${at}`, output]))),
    inputs,
    outputs,
    feeds: Object.fromEntries(named.map(({ array }, at) => [`x${at}`, array])),
  };
}

/** The inputs of a case through which gradients flow, by name. */
export function floatInputs({ inputs }: ExampleCase): Record<string, Symbolic> {
  return Object.fromEntries(inputs.flatMap((tensor, at) => (isFloat(tensor.dtype) ? [[`x${at}`, tensor]] : [])));
}

import { isFloat } from '@user-llm/tensor';
import { gradients } from '../autodiff.js';
import { evaluate } from '../evaluate.js';
import { graph, type Graph } from '../graph.js';
import type { ReferenceArray } from '../operator.js';
import { rawAdd, rawMultiply } from '../operators/arithmetic.js';
import { input } from '../operators/input.js';
import { rawSum } from '../operators/reduce.js';
import { referenceArray } from '../reference-kernels.js';
import type { FloatScalar, Symbolic } from '../symbolic.js';
import { floatInputs, type ExampleCase } from './examples.js';

/** A case made differentiable: its real outputs weighted with fixed numbers and added up to a loss. */
export interface GradientCase {
  /** Inputs as of the case and `w0`, `w1`, ... for the weights; outputs `loss` and `dx0`, `dx1`, .... */
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, ReferenceArray>>;
  readonly parameters: Readonly<Record<string, Symbolic>>;
}

/** The loss and gradients of a case, or `undefined` when nothing in it is differentiable. */
export function gradientCase(example: ExampleCase): GradientCase | undefined {
  const parameters = floatInputs(example);
  const differentiable = example.operator.kind === 'composite' || example.operator.gradient !== 'none';
  const real = example.outputs.filter(({ dtype }) => isFloat(dtype));
  if (!differentiable || !example.smooth || real.length === 0 || Object.keys(parameters).length === 0) return undefined;
  // The first output only where later ones are statistics for the gradient itself.
  const judged = example.operator.kind === 'composite' ? real.slice(0, 1) : real;
  const axes = (output: Symbolic): string[] => output.shape.map((_, axis) => `axis${axis}`);
  const weights = judged.map((output, at) => input(`w${at}`, output.dtype, axes(output), output.shape) as Symbolic);
  const terms = judged.map((output, at) => rawSum(rawMultiply(output, weights[at]!), [...output.axes.keys()], false));
  const loss = terms.reduce(rawAdd) as FloatScalar;
  const slopes = gradients(loss, parameters);
  const named = Object.fromEntries(Object.entries(slopes).map(([name, slope]) => [`d${name}`, slope]));
  const weightFeeds = weights.map((weight, at) => {
    const shape = weight.shape as readonly number[];
    const size = shape.reduce((product, length) => product * length, 1);
    return [
      `w${at}`,
      referenceArray(
        weight.dtype,
        shape,
        Float64Array.from({ length: size }, (_, k) => Math.fround(Math.sin(3 * k + 1))),
      ),
    ];
  });
  return {
    graph: graph([...example.inputs, ...weights], { loss, ...named }),
    feeds: { ...example.feeds, ...(Object.fromEntries(weightFeeds) as Record<string, ReferenceArray>) },
    parameters,
  };
}

/** The largest difference between a gradient and central differences, relative to the largest slope or 1. */
export function gradientError({ graph: source, feeds, parameters }: GradientCase, step = 1e-5): number {
  const exact = evaluate(source, feeds);
  const lossOnly = graph(Object.values(source.inputs), { loss: source.outputs['loss']! });
  const lossWith = (name: string, at: number, delta: number): number => {
    const moved = feeds[name]!.data.slice();
    moved[at]! += delta;
    return evaluate(lossOnly, { ...feeds, [name]: { ...feeds[name]!, data: moved } })['loss']!.data[0]!;
  };
  let worst = 0;
  for (const name of Object.keys(parameters)) {
    const slopes = exact[`d${name}`]!.data;
    const scale = slopes.reduce((largest, slope) => Math.max(largest, Math.abs(slope)), 1);
    slopes.forEach((slope, at) => {
      const central = (lossWith(name, at, step) - lossWith(name, at, -step)) / (2 * step);
      const error = Math.abs(central - slope) / scale;
      worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
    });
  }
  return worst;
}

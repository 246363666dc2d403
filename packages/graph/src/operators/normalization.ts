import type { Axes } from '@user-llm/tensor';
import { mismatch, requireFloat } from '../inference.js';
import { apply, applyOne, defineComposite } from '../operator.js';
import { sameSize } from '../size.js';
import type { Float, Symbolic, TensorType } from '../symbolic.js';
import { rawAdd, rawMultiply, rawSubtract } from './arithmetic.js';
import { unbroadcast } from './broadcast.js';
import { reciprocalOperator, scalarLike, squareRootOperator } from './elementwise.js';
import { meanOperator } from './reduce.js';

/** Attributes of `layerNorm` and `rmsNorm`. */
export interface NormAttributes {
  /** What is added to the variance or the mean square. */
  readonly epsilon: number;
}

const lastMean = (x: Symbolic): Symbolic => applyOne(meanOperator, [x], { axes: [x.axes.length - 1], keepAxes: true });
const inverseRoot = (x: Symbolic, epsilon: number): Symbolic =>
  applyOne(reciprocalOperator, [applyOne(squareRootOperator, [rawAdd(x, scalarLike(x, epsilon))], {})], {});

function inferNorm(what: string, x: TensorType, parameters: readonly TensorType[], statistics: number): TensorType[] {
  requireFloat(what, x, ...parameters);
  const width = x.shape.at(-1);
  const fits = width !== undefined && parameters.every(({ shape }) => shape.length === 1 && sameSize(shape[0]!, width));
  if (!fits) throw mismatch(what, 'parameters as long as the last axis', [x, ...parameters]);
  const perRow = { ...x, shape: [...x.shape.slice(0, -1), 1] };
  return [x, ...Array<TensorType>(statistics).fill(perRow)];
}

/** Outputs: the result, and each row's mean and inverse standard deviation, which the gradient reads. */
export const layerNormOperator = defineComposite<NormAttributes>({
  name: 'layerNorm',
  infer: ([x, ...parameters]) => inferNorm('layerNorm', x!, parameters, 2),
  decompose: ([x, weight, bias], { epsilon }) => {
    const center = lastMean(x!);
    const centered = rawSubtract(x!, center);
    const inverse = inverseRoot(lastMean(rawMultiply(centered, centered)), epsilon);
    const scaled = rawMultiply(rawMultiply(centered, inverse), weight!);
    return [bias ? rawAdd(scaled, bias) : scaled, center, inverse];
  },
  gradient: ({ inputs: [x, weight, bias], outputs: [, center, inverse] }, [g]) => {
    if (!g) return [];
    const normal = rawMultiply(rawSubtract(x!, center!), inverse!);
    const weighted = rawMultiply(g, weight!);
    const alongNormal = rawMultiply(normal, lastMean(rawMultiply(weighted, normal)));
    const change = rawSubtract(rawSubtract(weighted, lastMean(weighted)), alongNormal);
    return [rawMultiply(change, inverse!), unbroadcast(rawMultiply(g, normal), weight!), bias && unbroadcast(g, bias)];
  },
  onnx: (emitter, inputs, { attributes: { epsilon } }) =>
    emitter.emit(
      'LayerNormalization',
      inputs.map(({ name }) => name),
      { axis: { int: -1 }, epsilon: { float: epsilon } },
      { outputs: 3 },
    ),
  examples: [
    {
      name: 'with bias',
      inputs: [{ shape: [2, 3, 4] }, { shape: [4] }, { shape: [4] }],
      attributes: { epsilon: 1e-5 },
    },
    { name: 'without bias', inputs: [{ shape: [3, 4] }, { shape: [4] }], attributes: { epsilon: 1e-5 } },
    { name: 'no rows', inputs: [{ shape: [0, 4] }, { shape: [4] }, { shape: [4] }], attributes: { epsilon: 1e-5 } },
    { name: 'size 1', inputs: [{ shape: [2, 1] }, { shape: [1] }, { shape: [1] }], attributes: { epsilon: 1e-5 } },
    {
      name: 'constant rows',
      inputs: [{ shape: [2, 3], values: [2, 2, 2, -1, -1, -1] }, { shape: [3] }, { shape: [3] }],
      attributes: { epsilon: 1 },
    },
  ],
});

/** Outputs: the result, and each row's inverse root mean square, which the gradient reads. */
export const rmsNormOperator = defineComposite<NormAttributes>({
  name: 'rmsNorm',
  infer: ([x, ...parameters]) => inferNorm('rmsNorm', x!, parameters, 1),
  decompose: ([x, weight], { epsilon }) => {
    const inverse = inverseRoot(lastMean(rawMultiply(x!, x!)), epsilon);
    return [rawMultiply(rawMultiply(x!, inverse), weight!), inverse];
  },
  gradient: ({ inputs: [x, weight], outputs: [, inverse] }, [g]) => {
    if (!g) return [];
    const normal = rawMultiply(x!, inverse!);
    const weighted = rawMultiply(g, weight!);
    const change = rawSubtract(weighted, rawMultiply(normal, lastMean(rawMultiply(weighted, normal))));
    return [rawMultiply(change, inverse!), unbroadcast(rawMultiply(g, normal), weight!)];
  },
  onnx: (emitter, [x, weight], { attributes: { epsilon } }) =>
    emitter.emit(
      'SimplifiedLayerNormalization',
      [x!.name, weight!.name],
      { axis: { int: -1 }, epsilon: { float: epsilon } },
      { outputs: 2 },
    ),
  examples: [
    { name: 'batch', inputs: [{ shape: [2, 3, 4] }, { shape: [4] }], attributes: { epsilon: 1e-6 } },
    { name: 'no rows', inputs: [{ shape: [0, 4] }, { shape: [4] }], attributes: { epsilon: 1e-6 } },
    { name: 'size 1', inputs: [{ shape: [2, 1] }, { shape: [1] }], attributes: { epsilon: 1e-2 } },
    {
      name: 'zero row',
      inputs: [{ shape: [2, 3], values: [0, 0, 0, 1, 2, 3] }, { shape: [3] }],
      attributes: { epsilon: 1 },
    },
  ],
});

/**
 * Layer normalisation of the last axis (Ba, Kiros and Hinton 2016).
 *
 * @param x `[...L, D]`
 * @param weight `[D]`, and `bias` `[D]` or none.
 * @returns `[...L, D]`
 */
export function layerNorm<L extends Axes, D extends string>(
  x: Float<readonly [...L, D]>,
  weight: Float<readonly [NoInfer<D>]>,
  bias: Float<readonly [NoInfer<D>]> | undefined,
  epsilon: number,
): Float<readonly [...L, D]> {
  return apply(layerNormOperator, bias ? [x, weight, bias] : [x, weight], { epsilon })[0]! as unknown as Float<
    readonly [...L, D]
  >;
}

/**
 * Root-mean-square normalisation of the last axis (Zhang and Sennrich 2019).
 *
 * @param x `[...L, D]`
 * @param weight `[D]`
 * @returns `[...L, D]`
 */
export function rmsNorm<L extends Axes, D extends string>(
  x: Float<readonly [...L, D]>,
  weight: Float<readonly [NoInfer<D>]>,
  epsilon: number,
): Float<readonly [...L, D]> {
  return apply(rmsNormOperator, [x, weight], { epsilon })[0]! as unknown as Float<readonly [...L, D]>;
}

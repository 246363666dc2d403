import type { Axes } from '@user-llm/tensor';
import { mismatch, requireDType, requireFloat } from '../inference.js';
import { applyOne, defineComposite } from '../operator.js';
import { sameShape, sizeOfShape } from '../size.js';
import type { Decided, Float, FloatScalar, Symbolic } from '../symbolic.js';
import { rawAdd, rawDivide, rawMultiply, rawSubtract } from './arithmetic.js';
import { alignAxes } from './broadcast.js';
import { rawCast } from './cast.js';
import { notEqual } from './comparison.js';
import { rawNegate, scalarLike } from './elementwise.js';
import { meanOperator, rawSum } from './reduce.js';
import { rawReshape } from './reshape.js';
import { logSoftmaxOperator, rawSoftmax } from './softmax.js';
import { addAlongOperator, takeAlongOperator } from './take-along.js';
import { rawWhere } from './where.js';

/** Attributes of `crossEntropy`. */
export interface CrossEntropyAttributes {
  /** Share of the target that is spread evenly over all classes (Szegedy et al. 2016). */
  readonly smoothing: number;
}

const column = (x: Symbolic): Symbolic => rawReshape(x, [...x.axes, 'label'], [...x.shape, 1]);

/** The cross-entropy of each row of logits `[R, V]` with its label `[R]`. */
export const crossEntropyOperator = defineComposite<CrossEntropyAttributes>({
  name: 'crossEntropy',
  infer: ([logits, labels]) => {
    requireFloat('crossEntropy', logits!);
    requireDType('crossEntropy', 'int32', labels!);
    if (logits!.shape.length !== 2 || !sameShape(logits!.shape.slice(0, 1), labels!.shape)) {
      throw mismatch('crossEntropy', 'rows of logits and one label each', [logits!, labels!]);
    }
    return [{ dtype: logits!.dtype, axes: labels!.axes, shape: labels!.shape }];
  },
  decompose: ([logits, labels], { smoothing }) => {
    const logs = applyOne(logSoftmaxOperator, [logits!], { axis: 1 });
    const picked = rawReshape(
      applyOne(takeAlongOperator, [logs, column(labels!)], { axis: 1 }),
      labels!.axes,
      labels!.shape,
    );
    if (smoothing === 0) return [rawNegate(picked)];
    const even = applyOne(meanOperator, [logs], { axes: [1], keepAxes: false });
    const share = (x: Symbolic, factor: number): Symbolic => rawMultiply(x, scalarLike(x, factor));
    return [rawNegate(rawAdd(share(picked, 1 - smoothing), share(even, smoothing)))];
  },
  gradient: ({ inputs: [logits, labels], attributes: { smoothing } }, [g]) => {
    if (!g) return [];
    const rows = rawReshape(g, [...g.axes, 'label'], [...g.shape, 1]);
    const chances = rawSoftmax(logits!);
    const classes = logits!.shape[1] as number;
    const even = smoothing === 0 ? chances : rawSubtract(chances, scalarLike(chances, smoothing / classes));
    const picked = rawMultiply(rows, scalarLike(rows, smoothing - 1));
    return [applyOne(addAlongOperator, [rawMultiply(even, rows), column(labels!), picked], { axis: 1 })];
  },
  examples: [
    {
      name: 'rows',
      inputs: [{ shape: [4, 5] }, { dtype: 'int32', shape: [4], values: { below: 5 } }],
      attributes: { smoothing: 0 },
    },
    {
      name: 'smoothed',
      inputs: [{ shape: [4, 5] }, { dtype: 'int32', shape: [4], values: { below: 5 } }],
      attributes: { smoothing: 0.1 },
    },
    {
      name: 'large logits',
      inputs: [
        { shape: [1, 3], values: [1000, -1000, 0] },
        { dtype: 'int32', shape: [1], values: [2] },
      ],
      attributes: { smoothing: 0 },
    },
    {
      name: 'one class',
      inputs: [{ shape: [3, 1] }, { dtype: 'int32', shape: [3], values: [0, 0, 0] }],
      attributes: { smoothing: 0 },
    },
    {
      name: 'no rows',
      inputs: [{ shape: [0, 5] }, { dtype: 'int32', shape: [0], values: [] }],
      attributes: { smoothing: 0 },
    },
  ],
});

/** What counts in a cross-entropy, and how much. */
export interface CrossEntropyOptions {
  /** Rows with this label do not count, whatever their logits. */
  readonly ignore?: number;
  /** Share of the target that is spread evenly over all classes. */
  readonly smoothing?: number;
}

/** The weight of each row, 0 where its label is ignored; `undefined` when all weigh 1. */
function rowWeights(labels: Symbolic, ignore: number | undefined, weights: Symbolic | undefined): Symbolic | undefined {
  if (ignore === undefined) return weights;
  const counts = notEqual(labels as Symbolic<'int32'>, ignore);
  const ones = rawCast(counts, 'float32');
  return weights ? rawWhere(counts, weights, scalarLike(weights, 0)) : ones;
}

/** @internal The weighted mean of losses per row; 0 when no row counts. */
export function weightedMean(
  losses: Symbolic,
  labels: Symbolic,
  ignore: number | undefined,
  weights: Symbolic | undefined,
): FloatScalar {
  const weight = rowWeights(labels, ignore, weights);
  if (!weight)
    return applyOne(meanOperator, [losses], { axes: [...losses.axes.keys()], keepAxes: false }) as FloatScalar;
  const all = [...weight.axes.keys()];
  // Chosen rather than multiplied, so that an ignored row's loss may be infinite.
  const counted = rawMultiply(rawWhere(notEqual(weight as Float, 0), losses, scalarLike(losses, 0)), weight);
  const total = rawSum(weight, all, false);
  const nothing = scalarLike(total, 0);
  const divisor = rawWhere(notEqual(total as Float, 0), total, scalarLike(total, 1));
  return rawWhere(notEqual(total as Float, 0), rawDivide(rawSum(counted, all, false), divisor), nothing) as FloatScalar;
}

/** @internal Labels that may index the classes: an ignored label becomes class 0. */
export function safeLabels(labels: Symbolic, ignore: number | undefined): Symbolic {
  return ignore === undefined
    ? labels
    : rawWhere(notEqual(labels as Symbolic<'int32'>, ignore), labels, scalarLike(labels, 0));
}

/**
 * The mean cross-entropy of logits with labels, as PyTorch's `cross_entropy` computes it.
 *
 * @param logits `[...L, V]`
 * @param labels `[...L]`, whole numbers from 0 to V - 1, or `options.ignore`; any other is the error `out-of-range` when
 *   the graph runs.
 * @param weights `[...L]`, how much each row counts; the mean is divided by their sum. For weights per class, gather
 *   them by the labels.
 * @returns One number; 0 when no row counts.
 */
export function sparseCrossEntropy<L extends Axes, V extends string>(
  logits: Float<readonly [...L, V]>,
  labels: Symbolic<'int32', Decided<L>>,
  { ignore, smoothing = 0 }: CrossEntropyOptions = {},
  weights?: Float<Decided<L>>,
): FloatScalar {
  alignAxes('sparseCrossEntropy', logits, labels);
  const rows = sizeOfShape(labels.shape);
  const classes = logits.shape.at(-1)!;
  if (typeof classes !== 'number')
    throw mismatch('sparseCrossEntropy', 'a number of classes known when the graph is built', [logits]);
  const flat = (x: Symbolic): Symbolic => rawReshape(x, ['row'], [rows]);
  const flatLabels = flat(labels);
  const inputs = [rawReshape(logits, ['row', logits.axes.at(-1)!], [rows, classes]), safeLabels(flatLabels, ignore)];
  const losses = applyOne(crossEntropyOperator, inputs, { smoothing });
  return weightedMean(losses, flatLabels, ignore, weights && flat(weights));
}

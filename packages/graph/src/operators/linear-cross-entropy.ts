import { UserLlmError, type Axes } from '@user-llm/tensor';
import { mismatch, requireDType, requireFloat } from '../inference.js';
import { applyOne, defineComposite } from '../operator.js';
import { sameSize, sizeOfShape, type Size } from '../size.js';
import type { Decided, Float, FloatScalar, Symbolic } from '../symbolic.js';
import { maximumOperator, rawAdd, rawMultiply, rawSubtract } from './arithmetic.js';
import { alignAxes } from './broadcast.js';
import { rawConcat } from './concat.js';
import { safeLabels, weightedMean, type CrossEntropyOptions } from './cross-entropy.js';
import { logarithmOperator, rawNegate, scalarLike, tanhOperator } from './elementwise.js';
import { rawGather, rawScatterAdd } from './gather.js';
import { rawMatmul } from './matmul.js';
import { meanOperator, rawSum } from './reduce.js';
import { rawReshape } from './reshape.js';
import { rawSlice } from './slice.js';
import { rawSoftmax } from './softmax.js';
import { takeAlongOperator } from './take-along.js';

// R rows, K width, V classes.

/** Attributes of `linearCrossEntropy`. */
export interface LinearCrossEntropyAttributes {
  readonly smoothing: number;
  /** Rows whose logits exist at one time; 0 for all. */
  readonly rowsAtOnce: number;
  /** Logits stay within this bound by tanh; 0 for no bound. */
  readonly softCap: number;
}

/** The smallest normal float32: a probability below it counts as it, so that a loss stays below 87.4. */
const least = 2 ** -126;

const asColumn = (x: Symbolic): Symbolic => rawReshape(x, [...x.axes, 'one'], [...x.shape, 1]);
const times = (x: Symbolic, factor: number): Symbolic => (factor === 1 ? x : rawMultiply(x, scalarLike(x, factor)));

/** The tensors cut into pieces of at most `rows` along the first axis. */
function inPieces(tensors: readonly Symbolic[], rows: number): Symbolic[][] {
  const size: Size = tensors[0]!.shape[0]!;
  if (typeof size !== 'number' || rows === 0 || rows >= size) return [[...tensors]];
  return Array.from({ length: Math.ceil(size / rows) }, (_, piece) =>
    tensors.map((tensor) => rawSlice(tensor, 0, piece * rows, Math.min(size, (piece + 1) * rows))),
  );
}

/** Probabilities `[R, V]` of the classes, and how steep the bound on their logits is, where there is one. */
function probabilities(
  hidden_RK: Symbolic,
  table_VK: Symbolic,
  softCap: number,
): { readonly chances: Symbolic; readonly slopes: Symbolic | undefined } {
  const logits_RV = rawMatmul(hidden_RK, table_VK, { transposeRight: true });
  if (softCap === 0) return { chances: rawSoftmax(logits_RV), slopes: undefined };
  const bent_RV = applyOne(tanhOperator, [times(logits_RV, 1 / softCap)], {});
  const slopes = rawSubtract(scalarLike(bent_RV, 1), rawMultiply(bent_RV, bent_RV));
  return { chances: rawSoftmax(times(bent_RV, softCap)), slopes };
}

/** The element of each row that its label names, `[R, 1]`. */
function picked(x_RV: Symbolic, labels_R: Symbolic): Symbolic {
  return applyOne(takeAlongOperator, [x_RV, asColumn(labels_R)], { axis: 1 });
}

/** The mean row of the table, `[1, K]`. */
function meanRow(table_VK: Symbolic): Symbolic {
  return applyOne(meanOperator, [table_VK], { axes: [0], keepAxes: true });
}

function pieceLosses(
  hidden_RK: Symbolic,
  table_VK: Symbolic,
  labels_R: Symbolic,
  { smoothing, softCap }: LinearCrossEntropyAttributes,
): Symbolic {
  const chance_R1 = picked(probabilities(hidden_RK, table_VK, softCap).chances, labels_R);
  const bounded = applyOne(maximumOperator, [chance_R1, scalarLike(chance_R1, least)], {});
  const losses = rawNegate(rawReshape(applyOne(logarithmOperator, [bounded], {}), labels_R.axes, labels_R.shape));
  if (smoothing === 0) return losses;
  // The label's logit less the mean logit, without a look at all the logits.
  const direction_RK = rawSubtract(rawGather(table_VK, labels_R, 0), meanRow(table_VK));
  return rawAdd(losses, times(rawSum(rawMultiply(hidden_RK, direction_RK), [1], false), smoothing));
}

/**
 * The cross-entropy of `softmax(hidden * table^T)` with labels, in pieces of rows: neither one-hot rows nor
 * logarithms of all probabilities are made, and the gradients are products with the probabilities less the labels'
 * rows.
 */
export const linearCrossEntropyOperator = defineComposite<LinearCrossEntropyAttributes>({
  name: 'linearCrossEntropy',
  infer: ([hidden, table, labels]) => {
    requireFloat('linearCrossEntropy', hidden!, table!);
    requireDType('linearCrossEntropy', 'int32', labels!);
    const fits =
      hidden!.shape.length === 2 &&
      table!.shape.length === 2 &&
      labels!.shape.length === 1 &&
      sameSize(hidden!.shape[1]!, table!.shape[1]!) &&
      sameSize(hidden!.shape[0]!, labels!.shape[0]!);
    if (!fits)
      throw mismatch('linearCrossEntropy', 'hidden [R, K], table [V, K] and labels [R]', [hidden!, table!, labels!]);
    return [{ dtype: hidden!.dtype, axes: labels!.axes, shape: labels!.shape }];
  },
  decompose: ([hidden, table, labels], attributes) => {
    const pieces = inPieces([hidden!, labels!], attributes.rowsAtOnce);
    return [
      rawConcat(
        pieces.map(([rows, own]) => pieceLosses(rows!, table!, own!, attributes)),
        0,
      ),
    ];
  },
  gradient: ({ inputs: [hidden, table, labels], attributes: { smoothing, rowsAtOnce, softCap } }, [g]) => {
    if (!g) return [];
    const classes = table!.shape[0]!;
    const pieces = inPieces([hidden!, labels!, asColumn(g)], rowsAtOnce).map(([hidden_RK, labels_R, g_R1]) => {
      const { chances, slopes } = probabilities(hidden_RK!, table!, softCap);
      const chances_RV = slopes ? rawMultiply(chances, slopes) : chances;
      const steep = (x_RK: Symbolic): Symbolic => (slopes ? rawMultiply(x_RK, picked(slopes, labels_R!)) : x_RK);
      const scaled_RK = rawMultiply(hidden_RK!, g_R1!);
      const expected_RK = rawMatmul(chances_RV, table!);
      const labelled_RK = times(steep(rawGather(table!, labels_R!, 0)), 1 - smoothing);
      const target_RK = smoothing === 0 ? labelled_RK : rawAdd(labelled_RK, times(meanRow(table!), smoothing));
      return {
        hidden: rawMultiply(rawSubtract(expected_RK, target_RK), g_R1!),
        table: rawMatmul(chances_RV, scaled_RK, { transposeLeft: true }),
        scaled: steep(scaled_RK),
      };
    });
    const scaled = rawConcat(
      pieces.map((piece) => piece.scaled),
      0,
    );
    const labelled_VK = times(rawScatterAdd(labels!, scaled, table!.axes[0]!, classes), 1 - smoothing);
    const summed_VK = rawSubtract(pieces.map((piece) => piece.table).reduce(rawAdd), labelled_VK);
    return [
      rawConcat(
        pieces.map((piece) => piece.hidden),
        0,
      ),
      smoothing === 0
        ? summed_VK
        : rawSubtract(summed_VK, times(rawSum(scaled, [0], true), smoothing / (classes as number))),
    ];
  },
  examples: [
    linearExample('rows', 6, {}),
    linearExample('in pieces', 7, { rowsAtOnce: 3 }),
    linearExample('smoothed', 6, { smoothing: 0.1, rowsAtOnce: 4 }),
    linearExample('bounded logits', 7, { softCap: 0.8, rowsAtOnce: 4 }),
    linearExample('one row', 1, {}),
    linearExample('no rows', 0, {}),
  ],
});

function linearExample(name: string, rows: number, attributes: Partial<LinearCrossEntropyAttributes>) {
  return {
    name,
    inputs: [{ shape: [rows, 3] }, { shape: [5, 3] }, { dtype: 'int32' as const, shape: [rows], values: { below: 5 } }],
    attributes: { smoothing: 0, rowsAtOnce: 0, softCap: 0, ...attributes },
  };
}

/** How `linearCrossEntropy` counts. */
export interface LinearCrossEntropyOptions extends CrossEntropyOptions {
  readonly rowsAtOnce?: number;
  readonly softCap?: number;
}

/**
 * The mean cross-entropy of an output layer without bias, the logits of which never exist as a whole. A loss above
 * 87.3 counts as that.
 *
 * @param hidden `[...L, K]`
 * @param table `[V, K]`, for example the embedding table of a tied model.
 * @param labels `[...L]`, whole numbers from 0 to V - 1, or `options.ignore`; any other is the error `out-of-range` when
 *   the graph runs.
 * @param options `rowsAtOnce` bounds the memory for logits: as many rows exist at one time, all unless told. `softCap`
 *   bounds the logits, `softCap * tanh(logit / softCap)`; it goes with no smoothing.
 * @param weights `[...L]`, how much each row counts; the mean is divided by their sum.
 * @returns One number; 0 when no row counts.
 */
export function linearCrossEntropy<L extends Axes, K extends string, V extends string>(
  hidden: Float<readonly [...L, K]>,
  table: Float<readonly [V, NoInfer<K>]>,
  labels: Symbolic<'int32', Decided<L>>,
  { ignore, smoothing = 0, rowsAtOnce = 0, softCap = 0 }: LinearCrossEntropyOptions = {},
  weights?: Float<Decided<L>>,
): FloatScalar {
  alignAxes('linearCrossEntropy', hidden, labels);
  if (softCap !== 0 && smoothing !== 0)
    throw new UserLlmError('bad-argument', {
      what: 'linearCrossEntropy',
      expected: 'smoothing or a soft cap',
      got: 'both',
      mend: 'Use sparseCrossEntropy with logits that are bounded before.',
    });
  const rows = sizeOfShape(labels.shape);
  const flat = (x: Symbolic): Symbolic => rawReshape(x, ['row'], [rows]);
  const flatLabels = flat(labels);
  const flatHidden = rawReshape(hidden, ['row', hidden.axes.at(-1)!], [rows, hidden.shape.at(-1)!]);
  const losses = applyOne(linearCrossEntropyOperator, [flatHidden, table, safeLabels(flatLabels, ignore)], {
    smoothing,
    rowsAtOnce,
    softCap,
  });
  return weightedMean(losses, flatLabels, ignore, weights && flat(weights));
}

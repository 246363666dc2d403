import { constant, gather, linearCrossEntropy, type Float, type FloatScalar, type Symbolic } from '@user-llm/graph';
import { scalar } from '@user-llm/tensor';
import { counted, firstValue, ignored } from './label-rows.js';
import type { LossConfig } from './loss-config.js';
import { drawNegatives } from './negatives.js';
import { binaryCrossEntropy, calibratedPower, sampledSoftmax } from './sampled-losses.js';

// R rows, V ids, F width of outputs, N negatives.

/** Rows of one predicted feature. */
export interface PredictedRows {
  /** `[R, F]` */
  readonly rows: Float<readonly ['row', 'featureWidth']>;
  /** Outputs of all ids, `[V, F]`. */
  readonly table: Float<readonly ['id', 'featureWidth']>;
  /** Ids that follow, `[R]`; reserved ones do not count. */
  readonly labels: Symbolic<'int32', readonly ['row']>;
  readonly seed?: Symbolic<'int32', readonly []>;
  /** Stream of the random numbers that draw negatives. */
  readonly stream: number;
}

/**
 * The loss of one predicted feature: the mean over its rows, 0 when none counts.
 *
 * Without a seed negatives are those of seed 0, the same each time.
 */
export function featureLoss(config: LossConfig, { rows, table, labels, seed, stream }: PredictedRows): FloatScalar {
  const size = table.shape[0] as number;
  const sampled = config.loss !== 'softmax' || size > config.sampledAbove;
  if (!sampled) {
    const { rowsAtOnce } = config;
    return linearCrossEntropy<readonly ['row'], 'featureWidth', 'id'>(rows, table, counted(labels), {
      ignore: ignored,
      rowsAtOnce,
    });
  }
  const count = Math.min(config.negatives, size - firstValue);
  const drawn = drawNegatives(config.sampling, count, size, seed ?? constant(scalar('int32', 0)), stream);
  const compared = {
    rows,
    labels,
    positives: gather(table, labels),
    ids: drawn.ids,
    candidates: gather(table, drawn.ids),
  };
  if (config.loss === 'bce') return binaryCrossEntropy(compared, 1);
  if (config.loss === 'gbce')
    return binaryCrossEntropy(compared, calibratedPower(count, size - firstValue, config.calibration));
  return sampledSoftmax(compared, drawn.logCounts);
}

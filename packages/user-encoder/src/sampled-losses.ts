import {
  add,
  cast,
  concat,
  constant,
  divide,
  greaterEqual,
  matmulTransposed,
  maximum,
  multiply,
  negate,
  notEqual,
  reshape,
  softplus,
  sparseCrossEntropy,
  subtract,
  sum,
  where,
  type Float,
  type FloatScalar,
  type Symbolic,
} from '@user-llm/graph';
import { full } from '@user-llm/tensor';
import { firstValue, ignored } from './label-rows.js';

// R rows, N candidates, F width of outputs.

/** What a sampled loss compares: rows with their labels, and candidates that all rows share. */
export interface SampledRows {
  /** `[R, F]` */
  readonly rows: Float<readonly ['row', 'featureWidth']>;
  /** `[R]`; reserved ids do not count. */
  readonly labels: Symbolic<'int32', readonly ['row']>;
  /** Outputs of the labels, `[R, F]`. */
  readonly positives: Float<readonly ['row', 'featureWidth']>;
  /** Ids of the candidates, `[N]`. */
  readonly ids: Symbolic<'int32', readonly ['candidate']>;
  /** Outputs of the candidates, `[N, F]`. */
  readonly candidates: Float<readonly ['candidate', 'featureWidth']>;
}

/** Scores of labels `[R]` and of candidates `[R, N]`, and where a candidate is not the row's own label `[R, N]`. */
function scored({ rows, labels, positives, ids, candidates }: SampledRows) {
  const labels_R1 = reshape(labels, ['row', 'candidate'], [labels.shape[0]!, 1]);
  return {
    own_R: sum(multiply(rows, positives), 'featureWidth') as Float<readonly ['row']>,
    others_RN: matmulTransposed(rows, candidates) as Float<readonly ['row', 'candidate']>,
    other_RN: notEqual(labels_R1, ids),
  };
}

/**
 * Softmax over a row's label and candidates that stand for all ids (Jean et al. 2015): a candidate's score is lowered
 * by the logarithm of how often it was to be expected among them, so that the sum of exponentials is in the mean that
 * of all ids. Where a candidate is the row's own label it does not count; with every id once this is the full softmax
 * over the ids that stand for values.
 *
 * @param logCounts `[N]`
 * @returns The mean over rows whose label stands for a value; 0 when there is none.
 */
export function sampledSoftmax(compared: SampledRows, logCounts: Float<readonly ['candidate']>): FloatScalar {
  const { own_R, others_RN, other_RN } = scored(compared);
  const own_R1 = reshape(own_R, ['row', 'candidate'], [own_R.shape[0]!, 1]);
  const logits = concat([own_R1, where(other_RN, subtract(others_RN, logCounts), -1e9)], 'candidate');
  const zero = constant(full('int32', [], [], ignored));
  const first = where(greaterEqual(compared.labels, firstValue), multiply(compared.labels, 0), zero);
  return sparseCrossEntropy<readonly ['row'], 'candidate'>(logits, first, { ignore: ignored });
}

/**
 * Binary cross-entropy of a row's label against candidates (Kang and McAuley 2018); with a power below 1 on the
 * label's probability it is gBCE (Petrov and Macdonald 2023), which undoes the overconfidence that sampling brings.
 *
 * @returns The mean over rows whose label stands for a value, and over the label and its candidates; 0 without any.
 */
export function binaryCrossEntropy(compared: SampledRows, power: number): FloatScalar {
  const { own_R, others_RN, other_RN } = scored(compared);
  const taken_R = multiply(softplus(negate(own_R)), power);
  const refused_R = sum(where(other_RN, softplus(others_RN), 0), 'candidate') as Float<readonly ['row']>;
  const candidates = compared.ids.shape[0] as number;
  const losses_R = divide(add(taken_R, refused_R), 1 + candidates);
  const counts_R = cast(greaterEqual(compared.labels, firstValue), 'float32');
  return divide(sum(multiply(losses_R, counts_R)), maximum(sum(counts_R), 1));
}

/** gBCE's power on the label's probability, from the share of ids drawn and its calibration `t` (1 calibrates fully). */
export function calibratedPower(negatives: number, values: number, calibration: number): number {
  const share = Math.min(1, negatives / Math.max(1, values - 1));
  return share * (calibration * (1 - 1 / share) + 1 / share);
}

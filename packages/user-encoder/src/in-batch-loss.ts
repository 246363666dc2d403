import {
  add,
  cast,
  divide,
  gather,
  greaterEqual,
  logarithm,
  maximum,
  minimum,
  multiply,
  rename,
  scatterAdd,
  sum,
  uniform,
  where,
  type Float,
  type FloatScalar,
  type Symbolic,
} from '@user-llm/graph';
import { chooseRows, rowsAt } from './chosen-rows.js';
import { firstValue, type RowIds } from './label-rows.js';
import { sampledSoftmax } from './sampled-losses.js';

// R rows of a batch, M of them that are compared, E userWidth, V ids.

/** Rows of a batch and the items that followed. */
export interface InBatchRows {
  /** `[R, E]` */
  readonly users: Float<readonly ['row', 'userWidth']>;
  /** `[R]`; reserved ids do not count. */
  readonly labels: RowIds;
  /** Embeddings of items by ids `[M]`: `[M, E]`. */
  items(ids: RowIds): Float<readonly ['row', 'userWidth']>;
  /** Number of ids. */
  readonly size: number;
  /** Most rows that are compared, chosen at random. */
  readonly most: number;
  readonly seed: Symbolic<'int32', readonly []>;
  readonly stream: number;
}

/** The score of what must not count. */
const never = 1e9;

/**
 * In-batch softmax: each row's item against those of the other rows, whose scores are lowered by the logarithm of how
 * often they were to be expected, as estimated from all labels of the batch (Yi et al. 2019).
 *
 * @returns The mean over the rows compared whose label stands for a value; 0 when there is none.
 */
export function inBatchSoftmax({ users, labels, items, size, most, seed, stream }: InBatchRows): FloatScalar {
  const valid_R = cast(greaterEqual(labels, firstValue), 'float32');
  const order_R = multiply(valid_R, add(uniform(seed, ['row'], [labels.shape[0]!], stream), 1));
  const chosen = chooseRows(order_R, most);
  const total = maximum(sum(valid_R), 1);
  const labels_M = rowsAt(labels, chosen);
  const valid_M = greaterEqual(labels_M, firstValue);
  const counts_V = scatterAdd(labels, valid_R, 'id', size);
  const share = chosen && minimum(divide(most, total), 1);
  const counts_M = maximum(gather(counts_V, labels_M) as Float<readonly ['row']>, 1);
  const expected_M = share ? multiply(counts_M, share) : counts_M;
  const logCounts_M = where(valid_M, logarithm(expected_M), never);
  const rows = rename(rowsAt(users, chosen), 'userWidth', 'featureWidth') as Rows;
  const positives = rename(items(labels_M), 'userWidth', 'featureWidth') as Rows;
  return sampledSoftmax(
    {
      rows,
      labels: labels_M,
      positives,
      ids: rename(labels_M, 'row', 'candidate'),
      candidates: rename(positives, 'row', 'candidate'),
    },
    rename(logCounts_M, 'row', 'candidate'),
  );
}

type Rows = Float<readonly ['row', 'featureWidth']>;

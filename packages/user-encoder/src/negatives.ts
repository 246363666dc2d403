import {
  add,
  cast,
  divide,
  exponential,
  floor,
  logarithm,
  minimum,
  multiply,
  range,
  subtract,
  uniform,
  type Float,
  type Symbolic,
} from '@user-llm/graph';
import { firstValue } from './label-rows.js';

// N negatives, C ids that stand for values.

/** How negatives are drawn: all alike, or by Zipf's law, where ids stand in falling order of frequency. */
export type NegativeSampling = 'uniform' | 'log-uniform';

/** All ways of drawing negatives. */
export const negativeSamplings = ['uniform', 'log-uniform'] as const satisfies readonly NegativeSampling[];

/** Ids drawn for a batch. */
export interface Negatives {
  /** `[N]` */
  readonly ids: Symbolic<'int32', readonly ['candidate']>;
  /** Logarithms of how often each was to be expected among them, `[N]`. */
  readonly logCounts: Float<readonly ['candidate']>;
}

/**
 * Draws ids that stand for values, one from each of N equally likely strata: as many as there are ids give each id
 * once when drawn alike.
 *
 * @param seed The same seed and stream give the same ids.
 * @param size Number of ids, reserved ones included.
 */
export function drawNegatives(
  sampling: NegativeSampling,
  count: number,
  size: number,
  seed: Symbolic<'int32', readonly []>,
  stream: number,
): Negatives {
  const values = size - firstValue;
  const places = add(cast(range('candidate', count), 'float32'), uniform(seed, ['candidate'], [count], stream));
  // Rounding may carry a draw just past the last id.
  const bounded = (real: Float<readonly ['candidate']>) => minimum(cast(floor(real), 'int32'), values - 1);
  const shifted = (ranks: Symbolic<'int32', readonly ['candidate']>) => add(ranks, firstValue);
  if (sampling === 'uniform') {
    const ranks = bounded(multiply(places, values / count));
    const expected = multiply(cast(range('candidate', count), 'float32'), 0);
    return { ids: shifted(ranks), logCounts: add(expected, Math.log(count / values)) };
  }
  // P(rank) = log((rank + 2) / (rank + 1)) / log(values + 1), as TensorFlow's log_uniform_candidate_sampler.
  const whole = Math.log(values + 1);
  const ranks = bounded(subtract(exponential(multiply(places, whole / count)), 1));
  const real = cast(ranks, 'float32');
  const share = multiply(logarithm(divide(add(real, 2), add(real, 1))), count / whole);
  return { ids: shifted(ranks), logCounts: logarithm(share) };
}

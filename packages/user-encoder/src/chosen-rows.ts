import { cast, gather, topK, type Float, type Symbolic } from '@user-llm/graph';

// R rows, C chosen rows.

/**
 * Which rows to look at when few count, `[C]`: those of the largest numbers, or where a condition holds, first.
 *
 * @param counts_R `[R]`, how much a row counts, or whether it does.
 * @param most How many rows to choose.
 * @returns Nothing when all rows are to be looked at: there are no more, or their number is not known yet.
 */
export function chooseRows(
  counts_R: Symbolic<'bool', readonly ['row']> | Float<readonly ['row']>,
  most: number,
): Symbolic<'int32', readonly ['row']> | undefined {
  const rows = counts_R.shape[0]!;
  if (typeof rows !== 'number' || most >= rows) return undefined;
  return topK(cast(counts_R, 'float32') as Float<readonly ['row']>, most, 'row').indices as Symbolic<
    'int32',
    readonly ['row']
  >;
}

/** How many of some trials of a probability succeed at most, but for one case in a billion. */
export function mostOf(trials: number, probability: number): number {
  const mean = trials * probability;
  return Math.min(trials, Math.ceil(mean + 6 * Math.sqrt(mean * (1 - probability)) + 6));
}

/** Rows of a tensor, all when none are chosen. */
export function rowsAt<X extends Symbolic>(x: X, rows: Symbolic<'int32', readonly ['row']> | undefined): X {
  return rows ? (gather(x as never, rows) as Symbolic as X) : x;
}

import { greaterEqual, multiplySizes, reshape, slice, where, type Float, type Symbolic } from '@user-llm/graph';
import { rowsAt } from './chosen-rows.js';
import { idsOf, type Events, type FeatureIds } from './event-embedding.js';

// B batch, T events of a history, R rows: positions of a batch that may have a label; E userWidth, S slots.

/** The label of a row that does not count. */
export const ignored = -100;

/** The first id that stands for a value: 0, 1 and 2 are padding, unknown and mask. */
export const firstValue = 3;

/** Whole numbers of rows, `[R]`. */
export type RowIds = Symbolic<'int32', readonly ['row']>;

/** Positions of a batch as rows. */
export interface LabelRows {
  /** Embeddings, `[R, E]`. */
  readonly events: Float<readonly ['row', 'userWidth']>;
  /** The labels of one feature, slot by slot: each `[R]`, ids as they come, reserved ones among them. */
  labels(feature: string): readonly RowIds[];
}

/** Labels as a loss takes them: those that stand for no value are ignored. */
export function counted(labels: RowIds): RowIds {
  return where(greaterEqual(labels, firstValue), labels, ignored);
}

/**
 * The positions of a batch that a loss looks at.
 *
 * @param events `[B, T, E]`
 * @param ids Labels by feature, `[B, T]` or `[B, T, S]`
 * @param rows Flat positions, `[R]`; all when absent.
 */
export function labelRows(events: Events, ids: FeatureIds, rows: RowIds | undefined): LabelRows {
  const [batch, time, width] = events.shape;
  const count = multiplySizes(batch!, time!);
  return {
    events: rowsAt(reshape(events, ['row', 'userWidth'], [count, width!]) as LabelRows['events'], rows),
    labels: (feature) => {
      const own = idsOf(ids, feature);
      if (own.axes.at(-1) !== 'slot') return [rowsAt(reshape(own, ['row'], [count]), rows)];
      const slots = own.shape[2] as number;
      const flat = rowsAt(reshape(own, ['row', 'slot'], [count, slots]), rows);
      return Array.from({ length: slots }, (_, slot) =>
        reshape(slice(flat, 'slot', slot, slot + 1), ['row'], [flat.shape[0]!]),
      );
    },
  };
}

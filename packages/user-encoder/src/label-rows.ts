import { gather, greaterEqual, multiplySizes, reshape, slice, where, type Float, type Symbolic } from '@user-llm/graph';
import type { PretrainingBatch } from '@user-llm/plugin';
import { idsOf, type Events } from './event-embedding.js';

// R rows: positions of a batch that may have a label; E userWidth, S slots.

/** The label of a row that does not count. */
export const ignored = -100;

/** The first id that stands for a value: 0, 1 and 2 are padding, unknown and mask. */
export const firstValue = 3;

/** Positions of a batch as rows. */
export interface LabelRows {
  /** Embeddings, `[R, E]`. */
  readonly events: Float<readonly ['row', 'userWidth']>;
  /** The labels of one feature, slot by slot: each `[R]`, ids as they come, reserved ones among them. */
  labels(feature: string): readonly Symbolic<'int32', readonly ['row']>[];
}

/** Labels as a loss takes them: those that stand for no value are ignored. */
export function counted(labels: Symbolic<'int32', readonly ['row']>): Symbolic<'int32', readonly ['row']> {
  return where(greaterEqual(labels, firstValue), labels, ignored);
}

/** The positions of a batch that a loss looks at: those it names, or all. */
export function labelRows(events: Events, batch: Pick<PretrainingBatch, 'labels' | 'rows'>): LabelRows {
  const [first, time, width] = events.shape;
  const count = multiplySizes(first!, time!);
  const chosen = <X extends Symbolic>(x: X): X => (batch.rows ? (gather(x as never, batch.rows) as Symbolic as X) : x);
  return {
    events: chosen(reshape(events, ['row', 'userWidth'], [count, width!]) as Float<readonly ['row', 'userWidth']>),
    labels: (feature) => {
      const ids = idsOf(batch.labels, feature);
      if (ids.axes.at(-1) !== 'slot') return [chosen(reshape(ids, ['row'], [count]))];
      const slots = ids.shape[2] as number;
      const flat = chosen(reshape(ids, ['row', 'slot'], [count, slots]));
      return Array.from({ length: slots }, (_, slot) =>
        reshape(slice(flat, 'slot', slot, slot + 1), ['row'], [flat.shape[0]!]),
      );
    },
  };
}

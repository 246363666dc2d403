import {
  add,
  cast,
  gather,
  greater,
  maximum,
  multiply,
  multiplySizes,
  range,
  reshape,
  sizeValue,
  subtract,
  sum,
  where,
  type Float,
  type Symbolic,
} from '@user-llm/graph';
import type { Events } from './event-embedding.js';

// B batch, T events of a history, E userWidth.

/** How many events each row has: `[B]`, from its mask `[B, T]`. */
export function lengthsOf(mask: Symbolic<'bool', readonly ['batch', 'event']>): Symbolic<'int32', readonly ['batch']> {
  return cast(sum(cast(mask, 'float32'), 'event') as Float<readonly ['batch']>, 'int32');
}

/** Embeddings at one position of each row: `[B, E]`, from positions `[B]`. */
export function eventAt(
  events: Events,
  positions: Symbolic<'int32', readonly ['batch']>,
): Float<readonly ['batch', 'userWidth']> {
  const [batch, time, width] = events.shape;
  const starts = multiply(range('batch', batch!), sizeValue(time!));
  const flat = reshape(events, ['row', 'userWidth'], [multiplySizes(batch!, time!), width!]);
  return gather(flat, add(starts, positions)) as Float<readonly ['batch', 'userWidth']>;
}

/** The embedding of each row's last event, `[B, E]`; zeros where there is no event. */
export function lastEvent(
  events: Events,
  mask: Symbolic<'bool', readonly ['batch', 'event']>,
): Float<readonly ['batch', 'userWidth']> {
  const lengths = lengthsOf(mask);
  const last = eventAt(events, maximum(subtract(lengths, 1), 0));
  return where(greater(lengths, 0), last, 0);
}

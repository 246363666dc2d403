import {
  add,
  cast,
  gather,
  maximum,
  minimum,
  parameter,
  range,
  reshape,
  subtract,
  type Float,
  type ParameterSpec,
} from '@user-llm/graph';
import type { EncodedEvents } from '@user-llm/plugin';
import { countEvents } from './presence.js';

// B batch, T events of a history, E user width, R places told apart.

/** Parameters of recency: `[R, E]`, the vector of the last event first. */
export type RecencyParameters = { readonly weight: ParameterSpec<readonly ['place', 'userWidth']> };

/** Vectors that tell how many events ago an event was, for the last `places - 1` and one for all before. */
export function recencyParameters(places: number, userWidth: number): RecencyParameters {
  // Large enough beside events of norm 1 that some latents tell the last events from the others before they are trained.
  const initializer = { kind: 'normal', standardDeviation: 0.5 } as const;
  return { weight: parameter(['place', 'userWidth'], [places, userWidth], initializer) };
}

/** Adds to each event the vector of its recency: `[B, T, E]`. */
export function addRecency(
  weight_RE: Float<readonly ['place', 'userWidth']>,
  { events, mask }: EncodedEvents,
): EncodedEvents['events'] {
  const [batch, time] = events.shape;
  const count_B1 = reshape(cast(countEvents(mask), 'int32'), ['batch', 'event'], [batch!, 1]);
  const place_1T = reshape(range('event', time!), ['batch', 'event'], [1, time!]);
  const ago_BT = subtract(subtract(count_B1, 1), place_1T);
  const oldest = (weight_RE.shape[0] as number) - 1;
  // Padding stands after the last event: its place is cut to 0 and nothing reads it.
  return add(events, gather(weight_RE, minimum(maximum(ago_BT, 0), oldest)));
}

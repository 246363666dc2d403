import type { Event } from './event.js';

/** One user's events as they were recorded, oldest first; equal times keep the order of the source. */
export interface History {
  readonly user: string;
  readonly events: readonly Event[];
}

/** One user's events as ids, oldest first. `T` is `length`, `S` a feature's slots. */
export interface Timeline {
  readonly user: string;
  /** Number of events. */
  readonly length: number;
  /** When each event happened, in milliseconds since 1970; `[T]`. */
  readonly times: Float64Array;
  /** Ids by feature, `[T]` or, for a feature of several slots, `[T, S]` row-major. */
  readonly columns: Readonly<Record<string, Int32Array>>;
}

import { z } from 'zod';
import { targetRange, type Part, type Split } from './splits.js';
import type { Timelines } from './timelines.js';

/** Which stretches of a history become examples. */
export const windowOptions = z.discriminatedUnion('kind', [
  z.strictObject({
    /** Windows that end just before a predicted event, from the user's last one backwards in steps of `stride`. */
    kind: z.literal('sliding'),
    /** Events per window at most. */
    length: z.int().min(1),
    stride: z.int().min(1).default(1),
    /** Whether a window may be shorter because the history is. */
    partial: z.boolean().default(true),
  }),
  z.strictObject({
    /** One window per user, which ends just before the last predicted event; what is older is cut off. */
    kind: z.literal('last'),
    length: z.int().min(1),
    partial: z.boolean().default(true),
  }),
]);

/** Which stretches of a history become examples. */
export type WindowOptions = z.input<typeof windowOptions>;

/** Window options with their defaults filled in. */
export type WindowPlan = z.output<typeof windowOptions>;

/**
 * Stretches of timelines: window `w` holds the events `starts[w] .. ends[w]` (positions in the user's timeline) of user
 * `users[w]`, and the event at `ends[w]`, if there is one, is what comes next.
 */
export interface Windows {
  readonly count: number;
  readonly users: Int32Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/**
 * The windows of one part of a split, by user and from old to new.
 *
 * @param minimumEvents Users with fewer events are left out.
 */
export function planWindows(
  timelines: Timelines,
  split: Split,
  part: Part,
  window: WindowPlan,
  minimumEvents = 0,
): Windows {
  const stride = window.kind === 'sliding' ? window.stride : Infinity;
  const shortest = window.partial ? 1 : window.length;
  const places = Array.from({ length: timelines.users }, (_, user) => {
    const { from, to } = targetRange(timelines, user, split, part);
    const first = Math.max(from, shortest);
    if (timelines.lengthOf(user) < minimumEvents || to <= first) return { last: -1, count: 0 };
    return { last: to - 1, count: 1 + Math.floor((to - 1 - first) / stride) };
  });
  const count = places.reduce((sum, place) => sum + place.count, 0);
  const windows = emptyWindows(count);
  let at = 0;
  places.forEach((place, user) => {
    for (let back = place.count - 1; back >= 0; back--) {
      const end = place.last - (back === 0 ? 0 : back * stride);
      setWindow(windows, at++, user, end, window.length);
    }
  });
  return windows;
}

/** The last `length` events of every user, with nothing after them: what a model reads to predict what is not known yet. */
export function currentWindows(timelines: Timelines, length: number): Windows {
  const windows = emptyWindows(timelines.users);
  for (let user = 0; user < timelines.users; user++) setWindow(windows, user, user, timelines.lengthOf(user), length);
  return windows;
}

function emptyWindows(count: number): Windows {
  return { count, users: new Int32Array(count), starts: new Int32Array(count), ends: new Int32Array(count) };
}

function setWindow(windows: Windows, at: number, user: number, end: number, length: number): void {
  windows.users[at] = user;
  windows.starts[at] = Math.max(0, end - length);
  windows.ends[at] = end;
}

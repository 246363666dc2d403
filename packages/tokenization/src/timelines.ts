import type { Timeline } from '@user-llm/plugin';
import type { ItemTable } from './item-table.js';

/** What a set of timelines says of one feature. */
export interface FeatureLayout {
  readonly name: string;
  /** Ids per event. */
  readonly slots: number;
  /** Whether its ids have a `slot` axis. */
  readonly slotted: boolean;
}

/**
 * Many users' timelines as flat columns: the events of user `u` lie at `offsets[u] .. offsets[u + 1]`, oldest first.
 *
 * Columns are in shared memory, so that a worker reads them without a copy. Legend: `U` users, `N` events, `S` slots.
 */
export interface TimelineColumns {
  /** `[U]`. */
  readonly users: readonly string[];
  /** `[U + 1]`. */
  readonly offsets: Int32Array;
  /** Milliseconds since 1970, `[N]`. */
  readonly times: Float64Array;
  /** The row of each event's item in `itemColumns`, `[N]`. */
  readonly itemRows: Int32Array;
  readonly features: readonly FeatureLayout[];
  /** Ids of the features that belong to the event, by name, `[N, S]`. */
  readonly eventColumns: Readonly<Record<string, Int32Array>>;
  /** Ids of the features that hang on the item, by name, `[items + 1, S]`. */
  readonly itemColumns: ItemTable['columns'];
}

/** Many users' timelines, in memory. */
export class Timelines {
  readonly columns: TimelineColumns;

  constructor(columns: TimelineColumns) {
    this.columns = columns;
  }

  /** Number of users. */
  get users(): number {
    return this.columns.users.length;
  }

  /** Number of events of all users. */
  get events(): number {
    return this.columns.times.length;
  }

  /** Number of events of one user. */
  lengthOf(user: number): number {
    return this.columns.offsets[user + 1]! - this.columns.offsets[user]!;
  }

  /** When event `position` of a user happened, in milliseconds since 1970. */
  timeOf(user: number, position: number): number {
    return this.columns.times[this.columns.offsets[user]! + position]!;
  }

  /** One user's timeline, with the features of the items beside those of the events. */
  timeline(user: number): Timeline {
    const { users, offsets, times, features } = this.columns;
    const start = offsets[user]!;
    const end = offsets[user + 1]!;
    const columns = features.map(({ name, slots }) => {
      const out = new Int32Array((end - start) * slots);
      copyIds(this.columns, name, slots, start, end, out, 0);
      return [name, out] as const;
    });
    return {
      user: users[user]!,
      length: end - start,
      times: times.slice(start, end),
      columns: Object.fromEntries(columns),
    };
  }
}

/**
 * Copies one feature's ids of the events `start .. end` (positions in the flat columns) to `out[offset ...]`, row-major
 * `[end - start, slots]`.
 */
export function copyIds(
  { eventColumns, itemColumns, itemRows }: TimelineColumns,
  feature: string,
  slots: number,
  start: number,
  end: number,
  out: Int32Array,
  offset: number,
): void {
  const own = eventColumns[feature];
  let at = offset;
  if (own !== undefined) {
    for (let from = start * slots; from < end * slots; from++) out[at++] = own[from]!;
    return;
  }
  const table = itemColumns[feature]!;
  for (let event = start; event < end; event++) {
    const row = itemRows[event]! * slots;
    for (let slot = 0; slot < slots; slot++) out[at++] = table[row + slot]!;
  }
}

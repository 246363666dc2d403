import { UserLlmError } from '@user-llm/tensor';
import { columnOf, type EventColumns } from './event-columns.js';
import { GrowableColumn, sharedFloat64, sharedInt32 } from './growable-column.js';
import type { ItemTable } from './item-table.js';
import type { ReadyFeature } from './schema-plan.js';
import { readsItem, SeenItems } from './seen-items.js';
import { Timelines } from './timelines.js';

const hour = 3_600_000;

/** Turns events, in any order, into timelines: encodes as they come, then groups by user and sorts by time, stably. */
export class TimelinesBuilder {
  readonly #features: readonly ReadyFeature[];
  readonly #items: ItemTable;
  readonly #userIndex = new Map<string, number>();
  readonly #owners = new GrowableColumn(sharedInt32);
  readonly #times = new GrowableColumn(sharedFloat64);
  readonly #itemRows = new GrowableColumn(sharedInt32);
  readonly #ids: ReadonlyMap<string, GrowableColumn<Int32Array>>;
  readonly #seen: SeenItems;
  #length = 0;

  constructor(features: readonly ReadyFeature[], items: ItemTable) {
    this.#features = features;
    this.#items = items;
    const own = features.filter(({ origin }) => origin === 'event' || origin === 'hour');
    this.#ids = new Map(own.map(({ name }) => [name, new GrowableColumn(sharedInt32)]));
    this.#seen = new SeenItems(features.filter(readsItem), items);
  }

  /**
   * Takes in events.
   *
   * @throws UserLlmError `bad-event` when a time is not a number.
   */
  add(chunk: EventColumns): void {
    const { length, users, items, times } = chunk;
    const start = this.#length;
    const end = start + length;
    const owners = this.#owners.room(end);
    const clock = this.#times.room(end);
    const codes = this.#seen.codesOf(items, length);
    const rows = this.#itemRows.room(end);
    let last = '';
    let owner = -1;
    for (let row = 0; row < length; row++) {
      const user = users[row]!;
      if (owner === -1 || user !== last) {
        owner = this.#indexOf(user);
        last = user;
      }
      owners[start + row] = owner;
      clock[start + row] = checkedTime(times[row]!, user);
      rows[start + row] = this.#seen.rows[codes[row]!]!;
    }
    for (const feature of this.#features) {
      const out = this.#ids.get(feature.name)?.room(end * feature.slots);
      if (out === undefined) continue;
      if (readsItem(feature)) this.#seen.copyIds(feature, codes, out, start);
      else encode(feature, chunk, out, start);
    }
    this.#length = end;
  }

  /** Ends building; users come in the order in which they were first seen. */
  finish(): Timelines {
    const users = [...this.#userIndex.keys()];
    const owners = this.#owners.room(0).subarray(0, this.#length);
    const clock = this.#times.room(0).subarray(0, this.#length);
    const offsets = offsetsOf(owners, users.length);
    const order = eventOrder(owners, clock, offsets);
    const times = sharedFloat64(this.#length);
    order.forEach((from, to) => (times[to] = clock[from]!));
    const eventColumns = this.#features
      .filter(({ origin }) => origin !== 'item')
      .map((feature): [string, Int32Array] => {
        const ids = this.#ids.get(feature.name);
        const column =
          ids === undefined ? gapColumn(feature, times, offsets) : gather(ids.room(0), order, feature.slots);
        return [feature.name, column];
      });
    return new Timelines({
      users,
      offsets,
      times,
      itemRows: gather(this.#itemRows.room(0), order, 1),
      features: this.#features.map(({ name, slots, slotted }) => ({ name, slots, slotted })),
      eventColumns: Object.fromEntries(eventColumns),
      itemColumns: this.#items.columns,
    });
  }

  #indexOf(user: string): number {
    const known = this.#userIndex.get(user);
    if (known !== undefined) return known;
    this.#userIndex.set(user, this.#userIndex.size);
    return this.#userIndex.size - 1;
  }
}

/** Writes the ids of a feature of the event or the hour. */
function encode(
  { origin, field, slots, fitted }: ReadyFeature,
  chunk: EventColumns,
  out: Int32Array,
  start: number,
): void {
  const { length, times } = chunk;
  if (origin === 'hour') {
    for (let row = 0; row < length; row++) fitted.encode(hourOf(times[row]!), out, (start + row) * slots);
    return;
  }
  const values = columnOf(chunk, field);
  for (let row = 0; row < length; row++) fitted.encode(values[row], out, (start + row) * slots);
}

/** Hour of the day in UTC of a time in milliseconds, also before 1970. */
export function hourOf(time: number): number {
  return ((Math.floor(time / hour) % 24) + 24) % 24;
}

function checkedTime(time: number, user: string): number {
  if (Number.isFinite(time)) return time;
  throw new UserLlmError('bad-event', {
    what: `event of user ${user}`,
    expected: 'a time in milliseconds since 1970',
    got: String(time),
    mend: 'Prepare the data set again, or leave such events out.',
  });
}

function offsetsOf(owners: Int32Array, users: number): Int32Array {
  const offsets = sharedInt32(users + 1);
  for (const owner of owners) offsets[owner + 1]!++;
  for (let user = 0; user < users; user++) offsets[user + 1]! += offsets[user]!;
  return offsets;
}

/** For each place in the timelines the event that comes there: by user, then by time, ties as they came. */
function eventOrder(owners: Int32Array, times: Float64Array, offsets: Int32Array): Int32Array {
  const next = offsets.slice();
  const order = new Int32Array(owners.length);
  for (let event = 0; event < owners.length; event++) order[next[owners[event]!]!++] = event;
  for (let user = 0; user + 1 < offsets.length; user++) {
    const segment = order.subarray(offsets[user]!, offsets[user + 1]!);
    if (!ascends(segment, times)) segment.sort((a, b) => times[a]! - times[b]! || a - b);
  }
  return order;
}

function ascends(segment: Int32Array, times: Float64Array): boolean {
  for (let at = 1; at < segment.length; at++) if (times[segment[at]!]! < times[segment[at - 1]!]!) return false;
  return true;
}

function gather(column: Int32Array, order: Int32Array, slots: number): Int32Array {
  const out = sharedInt32(order.length * slots);
  let at = 0;
  for (const from of order) {
    for (let slot = from * slots; slot < (from + 1) * slots; slot++) out[at++] = column[slot]!;
  }
  return out;
}

/** Ids of the seconds since each event's predecessor. */
function gapColumn({ slots, fitted }: ReadyFeature, times: Float64Array, offsets: Int32Array): Int32Array {
  const out = sharedInt32(times.length * slots);
  for (let user = 0; user + 1 < offsets.length; user++) {
    for (let event = offsets[user]!; event < offsets[user + 1]!; event++) {
      const gap = event === offsets[user] ? null : (times[event]! - times[event - 1]!) / 1000;
      fitted.encode(gap, out, event * slots);
    }
  }
  return out;
}

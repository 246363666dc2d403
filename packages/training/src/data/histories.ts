import type { Event, FieldValue, History } from '@user-llm/plugin';
import type { EventColumns, EventSource } from '@user-llm/tokenization';

/** Positions `0 .. end` of a user's events, for what only a part of a history may tell. */
export type EndOf = (user: number, length: number) => number;

const chunkEvents = 1 << 16;

/**
 * Many users' events as they were recorded, in columns: by user in the order in which users were first seen, and by time,
 * ties in the order of the source. A user's events become objects when they are asked for.
 */
export class Histories {
  readonly users: readonly string[];
  readonly fields: readonly string[];
  readonly #offsets: Int32Array;
  readonly #times: Float64Array;
  readonly #items: readonly string[];
  readonly #values: Readonly<Record<string, readonly FieldValue[]>>;

  private constructor(
    users: readonly string[],
    offsets: Int32Array,
    times: Float64Array,
    items: readonly string[],
    values: Readonly<Record<string, readonly FieldValue[]>>,
  ) {
    this.users = users;
    this.fields = Object.keys(values);
    this.#offsets = offsets;
    this.#times = times;
    this.#items = items;
    this.#values = values;
  }

  /**
   * Reads all events of a source.
   *
   * @param fields What is kept of each event beside user, item and time.
   */
  static async read(source: EventSource, fields: readonly string[]): Promise<Histories> {
    const index = new Map<string, number>();
    const owners: number[] = [];
    const times: number[] = [];
    const items: string[] = [];
    const names = new Map<string, string>();
    const values: Record<string, FieldValue[]> = Object.fromEntries(fields.map((field) => [field, []]));
    for await (const chunk of source.columns(fields)) {
      for (let row = 0; row < chunk.length; row++) {
        const user = chunk.users[row]!;
        if (!index.has(user)) index.set(user, index.size);
        owners.push(index.get(user)!);
        times.push(chunk.times[row]!);
        // One string for all events of an item.
        const item = chunk.items[row]!;
        if (!names.has(item)) names.set(item, item);
        items.push(names.get(item)!);
        for (const field of fields) values[field]!.push(chunk.fields[field]?.[row] ?? null);
      }
    }
    const order = Int32Array.from({ length: owners.length }, (_, event) => event);
    order.sort((a, b) => owners[a]! - owners[b]! || times[a]! - times[b]! || a - b);
    const offsets = new Int32Array(index.size + 1);
    for (const owner of owners) offsets[owner + 1]!++;
    for (let user = 0; user < index.size; user++) offsets[user + 1]! += offsets[user]!;
    const sorted = <T>(column: readonly T[]): T[] => Array.from(order, (event) => column[event]!);
    const kept = Object.entries(values).map(([field, column]) => [field, sorted(column)] as const);
    return new Histories(
      [...index.keys()],
      offsets,
      Float64Array.from(sorted(times)),
      sorted(items),
      Object.fromEntries(kept),
    );
  }

  /** Number of events of all users. */
  get events(): number {
    return this.#times.length;
  }

  /** Number of events of one user. */
  lengthOf(user: number): number {
    return this.#offsets[user + 1]! - this.#offsets[user]!;
  }

  /** Number of a user's events before a time, in milliseconds since 1970. */
  before(user: number, time: number): number {
    const start = this.#offsets[user]!;
    let end = this.#offsets[user + 1]!;
    while (end > start && this.#times[end - 1]! >= time) end--;
    return end - start;
  }

  /** Items of a user's events, oldest first. */
  itemsOf(user: number): readonly string[] {
    return this.#items.slice(this.#offsets[user]!, this.#offsets[user + 1]!);
  }

  /** One user's events, oldest first. */
  history(user: number): History {
    const name = this.users[user]!;
    const events = Array.from({ length: this.lengthOf(user) }, (_, position): Event => {
      const at = this.#offsets[user]! + position;
      const values: Record<string, FieldValue> = {};
      for (const field of this.fields) values[field] = this.#values[field]![at];
      return { ...values, user: name, item: this.#items[at]!, time: this.#times[at]! };
    });
    return { user: name, events };
  }

  /**
   * The events again as a source, by user and time.
   *
   * @param endOf How many of a user's first events; all when absent.
   */
  source(endOf: EndOf = (_, length) => length): EventSource {
    return { columns: (fields) => this.#columns(fields, endOf) };
  }

  async *#columns(fields: readonly string[], endOf: EndOf): AsyncGenerator<EventColumns> {
    let chosen: number[] = [];
    let owners: string[] = [];
    const columns = (): EventColumns => ({
      length: chosen.length,
      users: owners,
      items: chosen.map((at) => this.#items[at]!),
      times: chosen.map((at) => this.#times[at]!),
      fields: Object.fromEntries(fields.map((field) => [field, chosen.map((at) => this.#values[field]?.[at])])),
    });
    for (let user = 0; user < this.users.length; user++) {
      const start = this.#offsets[user]!;
      const end = start + endOf(user, this.lengthOf(user));
      for (let at = start; at < end; at++) {
        chosen.push(at);
        owners.push(this.users[user]!);
      }
      if (chosen.length < chunkEvents) continue;
      await Promise.resolve();
      yield columns();
      chosen = [];
      owners = [];
    }
    if (chosen.length > 0) yield columns();
  }
}

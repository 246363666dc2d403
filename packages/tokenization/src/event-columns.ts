import type { Event, FieldValue } from '@user-llm/plugin';

/** Some events, column by column, in the order of their source. */
export interface EventColumns {
  /** Number of events. */
  readonly length: number;
  readonly users: ArrayLike<string>;
  readonly items: ArrayLike<string>;
  /** Milliseconds since 1970. */
  readonly times: ArrayLike<number>;
  /** The other fields that were asked for. */
  readonly fields: Readonly<Record<string, ArrayLike<FieldValue>>>;
}

/** Somewhere to read events from, more than once. */
export interface EventSource {
  /** Reads all events in order, some thousands at a time, with these fields beside user, item and time. */
  columns(fields: readonly string[]): AsyncIterable<EventColumns>;
}

const chunkLength = 1 << 14;

/**
 * Events in memory as a source.
 *
 * @param events Read anew each time, so an array or another iterable that can be.
 */
export function eventsInMemory(events: Iterable<Event>): EventSource {
  return {
    async *columns(fields) {
      let chunk: Event[] = [];
      for (const event of events) {
        chunk.push(event);
        if (chunk.length === chunkLength) {
          yield columnsOf(chunk, fields);
          chunk = [];
        }
      }
      if (chunk.length > 0) yield columnsOf(chunk, fields);
    },
  };
}

/** Events as columns. */
export function columnsOf(events: readonly Event[], fields: readonly string[]): EventColumns {
  return {
    length: events.length,
    users: events.map((event) => event.user),
    items: events.map((event) => event.item),
    times: events.map((event) => event.time),
    fields: Object.fromEntries(fields.map((field) => [field, events.map((event) => event[field])])),
  };
}

/** One column by the field's name, `user`, `item` and `time` included. */
export function columnOf(columns: EventColumns, field: string): ArrayLike<FieldValue> {
  if (field === 'user') return columns.users;
  if (field === 'item') return columns.items;
  if (field === 'time') return columns.times;
  return columns.fields[field] ?? [];
}

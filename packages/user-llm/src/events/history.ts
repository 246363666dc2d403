import type { Event } from '@user-llm/plugin';
import type { EventTokenizer } from '@user-llm/tokenization';
import { Tensor, UserLlmError } from '@user-llm/tensor';
import { eventNames } from './event-batch.js';

// B batch, T events, S slots of a feature.

/** The last events of one user as ids. */
export interface EventIds {
  /** Number of events. */
  readonly length: number;
  /** Ids by feature, `[T, S]` row-major, oldest event first. */
  readonly columns: Readonly<Record<string, Int32Array>>;
}

/** What `idsOf` found. */
export interface ReadEvents extends EventIds {
  /** Events given, more than `length` where only the last ones count. */
  readonly seen: number;
  /** When the last event was, in milliseconds since 1970; absent without events. */
  readonly lastTime?: number;
}

/**
 * The ids of one user's events, the last `maximum` of them.
 *
 * @param events In any order; they are put in order of time, equal times as they came.
 * @param after When the event before them was, so that features of time gaps are those of the whole history.
 * @throws UserLlmError `several-users` when the events are not of one user, `events-out-of-order` when one was before
 *   `after`, `bad-event` when one has no user, no item, or a time that is not a number. Unknown items and values never
 *   throw.
 */
export function idsOf(
  tokenizer: EventTokenizer,
  events: readonly Event[],
  maximum: number,
  after?: number,
): ReadEvents {
  requireEvents(events);
  const [first] = events;
  if (!first) return { length: 0, seen: 0, columns: noIds(tokenizer) };
  const other = events.find(({ user }) => user !== first.user);
  if (other) {
    throw new UserLlmError('several-users', {
      what: 'events of a user',
      expected: `all of ${JSON.stringify(first.user)}, as the first`,
      got: `one of ${JSON.stringify(other.user)}`,
      mend: 'Encode each user on their own.',
    });
  }
  const early = after === undefined ? undefined : events.find(({ time }) => time < after);
  if (early) {
    throw new UserLlmError('events-out-of-order', {
      what: 'events to append',
      expected: `times from ${after} on, when the last known event was`,
      got: `${early.time}`,
      mend: 'Encode the whole history again.',
    });
  }
  // The event before stands in for the history: only its time counts, and its own ids are dropped again.
  const stand = after === undefined ? [] : [{ user: first.user, item: '', time: after }];
  const timelines = tokenizer.encode([...stand, ...events]);
  const { length, columns, times } = timelines.timeline(0);
  const start = Math.max(stand.length, length - maximum);
  const last = tokenizer.features.map(
    ({ name, slots }) => [name, columns[name]!.slice(start * slots, length * slots)] as const,
  );
  return {
    length: length - start,
    seen: events.length,
    columns: Object.fromEntries(last),
    lastTime: times[length - 1]!,
  };
}

/** Callers without types hand over anything. */
function requireEvents(events: unknown): asserts events is readonly Event[] {
  if (!Array.isArray(events)) {
    throw new UserLlmError('bad-event', { what: 'events of a user', expected: 'a list', got: typeof events });
  }
  for (const [at, event] of (events as unknown[]).entries()) {
    const { user, item } = (event ?? {}) as Partial<Event>;
    if (typeof user === 'string' && typeof item === 'string') continue;
    throw new UserLlmError('bad-event', {
      what: `event ${at} of a user`,
      expected: 'a user and an item, both text',
      got: `${typeof user} and ${typeof item}`,
    });
  }
}

function noIds({ features }: Pick<EventTokenizer, 'features'>): Record<string, Int32Array> {
  return Object.fromEntries(features.map(({ name }) => [name, new Int32Array(0)]));
}

/** Ids of events one after the other, the last `maximum` of them. */
export function joinIds(
  features: readonly { readonly name: string; readonly slots: number }[],
  before: EventIds,
  after: EventIds,
  maximum: number,
): EventIds {
  const length = before.length + after.length;
  const start = Math.max(0, length - maximum);
  const columns = features.map(({ name, slots }) => {
    const joined = new Int32Array(length * slots);
    joined.set(before.columns[name]!);
    joined.set(after.columns[name]!, before.length * slots);
    return [name, joined.slice(start * slots)] as const;
  });
  return { length: length - start, columns: Object.fromEntries(columns) };
}

/**
 * Histories as the inputs of `eventInputs` are fed, each from the start of its row.
 *
 * @param rows `B` histories.
 * @param events `T`; the longest history's events, or one where all are empty, when absent.
 */
export function historyFeeds(
  features: readonly { readonly name: string; readonly slots: number }[],
  rows: readonly EventIds[],
  events = Math.max(1, ...rows.map(({ length }) => length)),
): Record<string, Tensor> {
  const batch = rows.length;
  const ids = features.map(({ name, slots }) => {
    const all = new Int32Array(batch * events * slots);
    rows.forEach(({ columns }, row) => all.set(columns[name]!, row * events * slots));
    const made =
      slots === 1
        ? new Tensor('int32', ['batch', 'event'], [batch, events], all)
        : new Tensor('int32', ['batch', 'event', 'slot'], [batch, events, slots], all);
    return [eventNames.feature(name), made as unknown as Tensor] as const;
  });
  const lengths = rows.map(({ length }) => length);
  return { ...Object.fromEntries(ids), [eventNames.mask]: maskOf(lengths, events) };
}

/** True in the first places of each row: `[batch, event]`. */
export function maskOf(lengths: readonly number[], events: number): Tensor {
  const mask = new Uint8Array(lengths.length * events);
  lengths.forEach((length, row) => mask.fill(1, row * events, row * events + length));
  return new Tensor('bool', ['batch', 'event'], [lengths.length, events], mask) as unknown as Tensor;
}

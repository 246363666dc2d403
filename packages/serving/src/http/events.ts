import { createHash } from 'node:crypto';
import type { Event } from '@user-llm/plugin';
import { z } from 'zod';
import { parse } from './parse.js';
import type { NamedRequest } from '../users/users.js';
import { BadRequest } from './problem.js';

/** Most events in one request. */
const mostEvents = 1000;

/** Farthest time from 1970 that a date can tell, in milliseconds. */
const farthestTime = 8.64e15;
/** How far the clocks of clients may be ahead, in milliseconds: later events are refused. */
const mostAhead = 86_400_000;

const field = z.union(
  [z.string().max(100_000), z.number(), z.boolean(), z.null(), z.array(z.string()).max(100)],
  'a text of up to 100000 characters, a number, true, false, null, or up to 100 texts',
);
/** One event, as it is sent. */
export const eventBody = z
  .object({
    item: z.string().min(1).max(512),
    time: z
      .union(
        [
          z.int().min(-farthestTime).max(farthestTime),
          z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
        ],
        'milliseconds since 1970, or a date and time of ISO 8601 with its offset from UTC',
      )
      .exactOptional(),
    rating: z.number().nullable().exactOptional(),
    text: z.string().max(100_000).nullable().exactOptional(),
    summary: z.string().max(10_000).nullable().exactOptional(),
  })
  .catchall(field);
/** Several events, as they are sent. */
export const eventsBody = z.strictObject({
  events: z.array(eventBody).min(1).max(mostEvents),
  restore: z.boolean().default(false),
});

/** The name of a request that may be sent again. */
export const idempotencyKey = z.string().min(1).max(255);

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22);

/**
 * The name that the header `Idempotency-Key` gives a request, and what it asks for, as hashes.
 *
 * @throws BadRequest when the header is too long.
 */
export function readRequestName(header: unknown, body: unknown): NamedRequest | undefined {
  if (header === undefined) return undefined;
  return { id: hashOf(parse(idempotencyKey, header)), content: hashOf(JSON.stringify(body)) };
}

/** What `POST /v1/users/{user}/events` asks for. */
export interface Append {
  readonly events: readonly Event[];
  /** Whether a deleted user comes back. */
  readonly restore: boolean;
}

/**
 * Reads one event, or `{ events, restore }`.
 *
 * @param now Milliseconds since 1970: the time of events that have none; those of more than a day later are refused.
 * @throws BadRequest of the first field that is wrong, or when an event names another user.
 */
export function readAppend(body: unknown, user: string, now: number): Append {
  const several = typeof body === 'object' && body !== null && 'events' in body;
  const { events, restore } = several ? parse(eventsBody, body) : { events: [parse(eventBody, body)], restore: false };
  return {
    restore,
    events: events.map((given, at) => {
      const path = (field: string) => (several ? `events.${at}.${field}` : field);
      if (given['user'] !== undefined && given['user'] !== user)
        throw new BadRequest(path('user'), 'the user of the path, or none');
      const { time = now } = given;
      // What comes after one that is far ahead would stand before it, and have the history encoded anew each time.
      if (time > now + mostAhead) throw new BadRequest(path('time'), 'a time that is at most a day ahead');
      return { ...given, user, time };
    }),
  };
}

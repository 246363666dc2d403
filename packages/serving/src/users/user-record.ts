import type { Event, UserState } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';
import { joinFrame, splitFrame } from '../frame.js';

/** A request that appended events and may be sent again. */
export interface AppendedRequest {
  /** Hash of what its sender called it. */
  readonly id: string;
  /** Hash of what it asked for. */
  readonly content: string;
  /** How many events the user had after it. */
  readonly watermark: number;
}

/** What the server keeps of a user. */
export interface UserRecord {
  /** As in `UserState`: absent until the user was deleted and came back. */
  readonly generation?: string | undefined;
  /** How many events the user has had in all; `events` may be fewer. */
  readonly watermark: number;
  /** The latest events, oldest first. */
  readonly events: readonly Event[];
  /** The encoder's state after the last event. */
  readonly state: UserState;
  /** The latest requests that have a name, oldest first. */
  readonly requests: readonly AppendedRequest[];
}

const field = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]);
const head = z.strictObject({
  events: z.array(z.object({ item: z.string(), time: z.number() }).catchall(field)),
  state: z.strictObject({ encoder: z.string(), watermark: z.int().nonnegative() }),
  requests: z.array(z.strictObject({ id: z.string(), content: z.string(), watermark: z.int() })).default([]),
});

/**
 * A record as a store keeps it. The events go in beside the encoder's state: they are shown, left out of
 * recommendations, and encoded anew when the encoder changes. The user's id does not: it is the key.
 */
export function packRecord({ generation, watermark, events, state, requests }: UserRecord): UserState {
  const anonymous = events.map(({ user: _, ...event }) => event);
  const bytes = joinFrame(
    { events: anonymous, state: { encoder: state.encoder, watermark: state.watermark }, requests },
    state.state,
  );
  return { encoder: state.encoder, watermark, generation, state: bytes };
}

/**
 * Reads what `packRecord` made.
 *
 * @param user Whose record it is.
 * @throws UserLlmError `bad-user-record` when it is not such.
 */
export function unpackRecord({ generation, watermark, state: bytes }: UserState, user: string): UserRecord {
  const { head: written, body } = splitFrame(bytes);
  const parsed = head.safeParse(written);
  if (!parsed.success) {
    throw new UserLlmError('bad-user-record', {
      what: "a user's record",
      expected: "events and the encoder's state",
      got: z.prettifyError(parsed.error),
      mend: 'Delete this user, or restore the store from a backup.',
    });
  }
  const { events, state, requests } = parsed.data;
  return {
    generation,
    watermark,
    events: events.map((event) => ({ ...event, user })),
    state: { ...state, state: body },
    requests,
  };
}

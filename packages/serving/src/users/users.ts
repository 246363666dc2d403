import { randomUUID } from 'node:crypto';
import type { Event, UserKey, UserStore } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import type { UserModel } from '../user-model.js';
import { packRecord, unpackRecord, type AppendedRequest, type UserRecord } from './user-record.js';

/** Where users come from who are not in the store yet, such as a data set. */
export type Histories = (key: UserKey) => Promise<readonly Event[] | undefined>;

/** A request by hashes of its name and of what it asks for. */
export type NamedRequest = Pick<AppendedRequest, 'id' | 'content'>;

/** Requests whose names are kept of each user. */
const keptRequests = 64;

/** A record without whose it is and the requests that made it. */
type EncodedHistory = Omit<UserRecord, 'generation' | 'requests'>;

/** What `Users` works on. */
export interface UsersOptions {
  readonly model: Pick<UserModel<never>, 'encoderHash' | 'encode' | 'append'>;
  readonly store: UserStore;
  readonly histories?: Histories | undefined;
  /** Most events kept of a user. */
  readonly maximumEvents: number;
}

/** The users of a server: their events and the encoder's states of them, in a store that others may write too. */
export class Users {
  readonly #options: UsersOptions;

  constructor(options: UsersOptions) {
    this.#options = options;
  }

  /** What the store has of a user for this encoder: no work for the model, so it needs no place in the queue. */
  async stored(key: UserKey): Promise<UserRecord | undefined> {
    const stored = await this.#options.store.get(key);
    const record = stored && unpackRecord(stored, key.user);
    return record?.state.encoder === this.#options.model.encoderHash ? record : undefined;
  }

  /**
   * What is known of a user. Who is not in the store is taken from `histories`; a state of another encoder is made anew
   * from the events kept.
   *
   * @returns Nothing for an unknown or deleted user.
   */
  async find(key: UserKey): Promise<UserRecord | undefined> {
    const { model, store, histories } = this.#options;
    for (;;) {
      const stored = await store.get(key);
      if (!stored) {
        const events = await histories?.(key);
        if (!events) return undefined;
        const record = { ...(await this.#encode(inOrder(events), events.length)), requests: [] };
        if (await store.put(key, packRecord(record), undefined)) return record;
        if (!(await store.get(key))) return undefined;
        continue;
      }
      const record = unpackRecord(stored, key.user);
      if (record.state.encoder === model.encoderHash) return record;
      const again = { ...record, ...(await this.#encode(record.events, record.watermark)) };
      if (await store.put(key, packRecord(again), record)) return again;
    }
  }

  /**
   * Appends events to a user's history, making the user when there is none; two at once both count.
   *
   * Events in order of time go through the encoder's `append`; an event earlier than the last one known is put in its
   * place, and the history encoded anew.
   *
   * @param request Its name, where it has one: sent again, it appends nothing. The latest 64 of a user are known.
   * @returns How many events the user had after the request.
   * @throws UserLlmError `user-deleted` when the user was deleted before or meanwhile, also when they are back already;
   *   see `restore`. `request-reused` when another request had the name.
   */
  async append(key: UserKey, events: readonly Event[], request?: NamedRequest): Promise<number> {
    const { store } = this.#options;
    let life: { readonly generation: string | undefined } | undefined;
    for (;;) {
      const record = await this.find(key);
      life ??= { generation: record?.generation };
      if (record?.generation !== life.generation) throw userDeleted();
      const before = request && record?.requests.find(({ id }) => id === request.id);
      if (before) return repeated(before, request);
      const next = record ? await this.#extend(record, events) : await this.#encode(inOrder(events), events.length);
      const { watermark } = next;
      const requests = [...(record?.requests ?? []), ...(request ? [{ ...request, watermark }] : [])];
      const kept = packRecord({ ...life, ...next, requests: requests.slice(-keptRequests) });
      if (await store.put(key, kept, record)) return watermark;
      if (record === undefined && !(await store.get(key))) throw userDeleted();
      // Somebody else was first: read what they wrote, and append to that.
    }
  }

  /** Deletes everything kept of a user, and keeps late writers from bringing it back. */
  async delete(key: UserKey): Promise<{ readonly existed: boolean }> {
    const { store, histories } = this.#options;
    const stored = await store.get(key).catch((error: unknown) => {
      // What cannot be read was there all the same.
      if (UserLlmError.isInstance(error, 'bad-user-record')) return error;
      throw error;
    });
    const existed = stored !== undefined || (await histories?.(key)) !== undefined;
    await store.delete(key);
    return { existed };
  }

  /** Lets a deleted user come back, with no events, also not those that `histories` has; others stay as they are. */
  async restore(key: UserKey): Promise<void> {
    if (await this.find(key)) return;
    const empty = { generation: randomUUID(), ...(await this.#encode([], 0)), requests: [] };
    await this.#options.store.put(key, packRecord(empty), 'deleted');
  }

  async #extend(record: UserRecord, events: readonly Event[]): Promise<EncodedHistory> {
    const { model, maximumEvents } = this.#options;
    const added = inOrder(events);
    const watermark = record.watermark + added.length;
    const last = record.events.at(-1)?.time ?? -Infinity;
    if (added.some(({ time }) => time < last)) return this.#encode(inOrder([...record.events, ...added]), watermark);
    const state = await model.append(record.state, added);
    return { watermark, events: [...record.events, ...added].slice(-maximumEvents), state };
  }

  async #encode(events: readonly Event[], watermark: number): Promise<EncodedHistory> {
    const { model, maximumEvents } = this.#options;
    const kept = events.slice(-maximumEvents);
    return { watermark, events: kept, state: await model.encode(kept) };
  }
}

/** The error for events of a user who was deleted. */
export function userDeleted(): UserLlmError {
  return new UserLlmError('user-deleted', {
    what: 'user',
    expected: 'one who was not deleted',
    got: 'one who was',
    mend: 'Send events with "restore": true to let this user come back, without what was deleted.',
  });
}

/** What a request came to that is sent again. */
function repeated({ content, watermark }: AppendedRequest, request: NamedRequest): number {
  if (content === request.content) return watermark;
  throw new UserLlmError('request-reused', {
    what: 'Idempotency-Key',
    expected: 'a key that names one request',
    got: 'the key of another',
    mend: 'Send other events with another key.',
  });
}

/** Events by their time; those of one time keep their order. */
function inOrder(events: readonly Event[]): readonly Event[] {
  return [...events].sort((a, b) => a.time - b.time);
}

import { createHash } from 'node:crypto';
import type { UserKey } from '@user-llm/plugin';
import type { UserModel } from '../user-model.js';
import type { UserRecord } from './user-record.js';

/** A user's context, and whether it was there already. */
export interface CachedContext<Context> {
  readonly context: Context;
  readonly hit: boolean;
}

/**
 * What the LLM reads of each user, for the users who asked last.
 *
 * The key is tenant, user, watermark, encoder, and a hash of the state itself: no answer can be made of another user's
 * context, nor of one that was deleted and came back with as many events.
 */
export class ContextCache<Context> {
  readonly #model: Pick<UserModel<Context>, 'context'>;
  readonly #limit: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, { readonly user: string; readonly context: Promise<Context> }>();
  #deletions = 0;

  /** @param limit Most contexts kept. */
  constructor(model: Pick<UserModel<Context>, 'context'>, limit: number) {
    this.#model = model;
    this.#limit = limit;
  }

  /** Contexts kept now. */
  get size(): number {
    return this.#entries.size;
  }

  /** Take it before a user is read from the store, and give it to `of`: what is deleted meanwhile is then not kept. */
  get epoch(): number {
    return this.#deletions;
  }

  /** The context of a user; requests at once for one that is not kept wait for one computation. */
  async of(key: UserKey, record: UserRecord, epoch: number): Promise<CachedContext<Context>> {
    const name = entryName(key, record);
    const found = this.#entries.get(name);
    if (found) {
      this.#entries.delete(name);
      this.#entries.set(name, found);
      return { context: await found.context, hit: true };
    }
    const context = this.#model.context(record.state);
    if (epoch === this.#deletions && this.#limit > 0) {
      const entry = { user: userName(key), context };
      this.#entries.set(name, entry);
      while (this.#entries.size > this.#limit) this.#entries.delete(this.#entries.keys().next().value!);
      context.catch(() => {
        if (this.#entries.get(name) === entry) this.#entries.delete(name);
      });
    }
    return { context: await context, hit: false };
  }

  /** Drops every context of a user. */
  forget(key: UserKey): void {
    this.#deletions++;
    for (const [name, { user }] of this.#entries) if (user === userName(key)) this.#entries.delete(name);
  }
}

const userName = ({ tenant, user }: UserKey) => JSON.stringify([tenant, user]);

function entryName(key: UserKey, { watermark, state }: UserRecord): string {
  const hash = createHash('sha256').update(state.state).digest('base64');
  return JSON.stringify([key.tenant, key.user, watermark, state.encoder, hash]);
}

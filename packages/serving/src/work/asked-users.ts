import type { UserKey } from '@user-llm/plugin';

/** The requests under way that ask about users, to be broken off when a user is deleted. */
export class AskedUsers {
  readonly #asked = new Map<string, Set<(reason: Error) => void>>();

  /**
   * Counts a request.
   *
   * @param abort Breaks it off.
   * @returns To be called when the request is done.
   */
  add(key: UserKey, abort: (reason: Error) => void): () => void {
    const name = nameOf(key);
    const asked = this.#asked.get(name) ?? new Set();
    this.#asked.set(name, asked.add(abort));
    return () => {
      asked.delete(abort);
      if (asked.size === 0 && this.#asked.get(name) === asked) this.#asked.delete(name);
    };
  }

  /** Breaks off every request about a user. */
  breakOff(key: UserKey, reason: Error): void {
    for (const abort of this.#asked.get(nameOf(key)) ?? []) abort(reason);
  }
}

const nameOf = ({ tenant, user }: UserKey) => JSON.stringify([tenant, user]);

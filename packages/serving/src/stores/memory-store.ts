import type { UserKey, UserState, UserStore } from '@user-llm/plugin';
import { isExpected, type StoredState } from './stored-state.js';

/** A store of users' states in the memory of one process: gone when it ends. */
export function memoryStore(): UserStore {
  const states = new Map<string, StoredState>();
  const name = ({ tenant, user }: UserKey) => JSON.stringify([tenant, user]);
  const copy = (state: UserState): UserState => ({ ...state, state: new Uint8Array(state.state) });
  return {
    specVersion: 1,
    name: 'memory',
    get: (key) => {
      const state = states.get(name(key));
      return Promise.resolve(state === undefined || state === 'deleted' ? undefined : copy(state));
    },
    put: (key, state, expected) => {
      if (!isExpected(states.get(name(key)), expected)) return Promise.resolve(false);
      states.set(name(key), copy(state));
      return Promise.resolve(true);
    },
    delete: (key) => {
      states.set(name(key), 'deleted');
      return Promise.resolve();
    },
    close: () => {
      states.clear();
      return Promise.resolve();
    },
  };
}

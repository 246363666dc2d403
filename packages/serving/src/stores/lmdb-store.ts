import { createHash } from 'node:crypto';
import type { UserKey, UserStore } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { lmdbDamage } from './lmdb-damage.js';
import { decodeStored, encodeStored, isExpected, type StoredState } from './stored-state.js';

/**
 * Opens a store of users' states in a folder, by LMDB; the native add-on loads now, not when the package is imported.
 *
 * Keys are SHA-256 of tenant and user, so a tombstone does not name who was deleted. A `put` is safe when it resolves
 * against the end of the process, a `delete` also against loss of power. Several processes may share the folder. LMDB
 * does not overwrite the pages that a deletion frees until it needs them again: the bytes of a deleted user can be
 * found in the file until then.
 *
 * @param folder Made when it is not there.
 * @throws UserLlmError `store-unavailable` when LMDB cannot be loaded, or the folder cannot be opened as a store: it is
 *   no writable folder, or what is in it is no LMDB file or has lost its end.
 */
export async function openLmdbStore(folder: string): Promise<UserStore> {
  const database = await openDatabase(folder);
  const name = ({ tenant, user }: UserKey) =>
    createHash('sha256')
      .update(JSON.stringify([tenant, user]))
      .digest('hex');
  const read = (key: UserKey): StoredState | undefined => {
    const bytes = database.get(name(key));
    return bytes && decodeStored(bytes);
  };
  return {
    specVersion: 1,
    name: 'lmdb',
    get: async (key) => {
      const stored = await Promise.resolve(read(key));
      return stored === 'deleted' ? undefined : stored;
    },
    put: (key, state, expected) => {
      const bytes = Buffer.from(encodeStored(state));
      return database.transaction(() => {
        if (!isExpected(read(key), expected)) return false;
        void database.put(name(key), bytes);
        return true;
      });
    },
    delete: async (key) => {
      await database.put(name(key), Buffer.from(encodeStored('deleted')));
      await database.flushed;
    },
    close: () => database.close(),
  };
}

async function openDatabase(folder: string) {
  const fail = (got: string, mend: string, cause?: unknown): never => {
    throw new UserLlmError('store-unavailable', {
      what: folder,
      expected: 'a folder that LMDB can open',
      got,
      mend,
      cause,
    });
  };
  try {
    const damage = await lmdbDamage(folder);
    if (damage !== undefined) return fail(damage, 'Restore the store from a backup, or begin with an empty folder.');
    const { open } = await import('lmdb');
    return open<Buffer, string>({ path: folder, encoding: 'binary', noSubdir: false });
  } catch (cause) {
    if (UserLlmError.isInstance(cause)) throw cause;
    const got = cause instanceof Error ? cause.message : String(cause);
    return fail(got, 'Name a writable folder, or use memoryStore(), which keeps nothing.', cause);
  }
}

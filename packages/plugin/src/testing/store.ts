import type { UserKey, UserState, UserStore } from '../user-store.js';
import { demand, type Check } from './check.js';

const state = (watermark: number, bytes: readonly number[] = [watermark], generation?: string): UserState => ({
  encoder: 'encoder-1',
  watermark,
  state: Uint8Array.from(bytes),
  ...(generation !== undefined && { generation }),
});

const show = (value: UserState | undefined): string =>
  value
    ? `${value.encoder} at ${value.watermark} of generation ${value.generation ?? 'none'}, bytes ${value.state.join(' ')}`
    : 'nothing';

/** What a caller has read, or `deleted`. */
type Expected = Parameters<UserStore['put']>[2];

const read = (watermark: number, generation?: string): Expected => ({
  watermark,
  ...(generation !== undefined && { generation }),
});

/**
 * What every store of users' states must do: give back what was put, byte for byte; keep tenants and users apart;
 * replace a state only where it is still the one that was read, also when many try at once; and delete for good, until a
 * state is put that expects this.
 *
 * @param open An empty store; each check opens one and closes it.
 */
export function storeChecks(open: () => Promise<UserStore>): readonly Check[] {
  const check = (name: string, run: (store: UserStore) => Promise<void>): Check => ({
    name,
    run: async () => {
      const store = await open();
      try {
        await run(store);
      } finally {
        await store.close();
      }
    },
  });
  const key: UserKey = { tenant: 'tenant', user: 'user' };
  const holds = async (store: UserStore, of: UserKey, expected: UserState | undefined, when: string) => {
    const got = await store.get(of);
    demand(show(got) === show(expected), `get ${when}`, show(expected), show(got));
  };
  const put = async (store: UserStore, next: UserState, expected: Expected, accepted: boolean, of = key) => {
    const got = await store.put(of, next, expected);
    const what = `put of ${show(next)} where ${JSON.stringify(expected) ?? 'nothing'} was read`;
    demand(got === accepted, what, String(accepted), String(got));
  };
  return [
    check('an unknown user has no state', (store) => holds(store, key, undefined, 'of an unknown user')),
    check('a state comes back byte for byte, an empty one too', async (store) => {
      const bytes = Array.from({ length: 5000 }, (_, at) => (at * 7) % 256);
      await put(store, state(3, bytes), undefined, true);
      await holds(store, key, state(3, bytes), 'after put');
      await put(store, state(4, []), read(3), true);
      await holds(store, key, state(4, []), 'of a state without bytes');
    }),
    check('a state that was handed in or out can change without the store', async (store) => {
      // A Buffer, whose `slice` is a view and no copy.
      const mine = Buffer.from([1, 2, 3]);
      await put(store, { ...state(1), state: mine }, undefined, true);
      mine.fill(9);
      await holds(store, key, state(1, [1, 2, 3]), 'after the bytes handed in changed');
      (await store.get(key))!.state.fill(8);
      await holds(store, key, state(1, [1, 2, 3]), 'after the bytes handed out changed');
    }),
    check('tenants and users are kept apart, whatever their names hold', async (store) => {
      const keys: readonly UserKey[] = [
        { tenant: 'a', user: 'b' },
        { tenant: 'a', user: 'B' },
        { tenant: 'b', user: 'a' },
        { tenant: 'ab', user: '' },
        { tenant: '', user: 'ab' },
        { tenant: 'a\u0000', user: 'b' },
        { tenant: 'a', user: '\u0000b' },
        { tenant: 'a', user: '名前 😀 '.repeat(60) },
        { tenant: 'a', user: '../../etc' },
      ];
      for (const [at, of] of keys.entries()) await put(store, state(at + 1), undefined, true, of);
      for (const [at, of] of keys.entries()) await holds(store, of, state(at + 1), `of ${JSON.stringify(of)}`);
      await store.delete(keys[0]!);
      await holds(store, keys[0]!, undefined, 'of the deleted one');
      await holds(store, keys[1]!, state(2), 'of another after a deletion');
    }),
    check('put replaces a state only at the watermark that was read', async (store) => {
      await put(store, state(1), read(0), false);
      await holds(store, key, undefined, 'after a put that was refused');
      await put(store, state(1), undefined, true);
      await put(store, state(2), undefined, false);
      await put(store, state(2), read(0), false);
      await holds(store, key, state(1), 'after puts that were refused');
      await put(store, state(2), read(1), true);
      await holds(store, key, state(2), 'after put');
    }),
    check('of many puts at once from one watermark, one wins', async (store) => {
      await put(store, state(1), undefined, true);
      const wins = await Promise.all(Array.from({ length: 20 }, (_, at) => store.put(key, state(2, [at]), read(1))));
      const won = wins.flatMap((win, at) => (win ? [at] : []));
      demand(won.length === 1, 'puts at once', '1 that is accepted', String(won.length));
      await holds(store, key, state(2, won), 'of the one that won');
    }),
    check('a deleted user is gone, and stays gone until a state is put that expects this', async (store) => {
      await put(store, state(5), undefined, true);
      await put(store, state(6), 'deleted', false);
      await store.delete(key);
      await holds(store, key, undefined, 'after delete');
      await put(store, state(1), undefined, false);
      await put(store, state(6), read(5), false);
      await store.delete(key);
      await holds(store, key, undefined, 'after puts that were refused');
      await put(store, state(0, [], 'second'), 'deleted', true);
      await holds(store, key, state(0, [], 'second'), 'of one who came back');
      await put(store, state(0, [], 'third'), 'deleted', false);
      await put(store, state(1), undefined, false);
    }),
    check('who read a state before a deletion cannot replace one of after it', async (store) => {
      await put(store, state(2, [7]), undefined, true);
      await store.delete(key);
      await put(store, state(1, [1], 'second'), 'deleted', true);
      await put(store, state(2, [2], 'second'), read(1), false);
      await put(store, state(2, [2], 'second'), read(1, 'second'), true);
      await put(store, state(3, [7, 3]), read(2), false);
      await holds(store, key, state(2, [2], 'second'), 'after a put from before the deletion');
      await store.delete(key);
      await put(store, state(2, [4], 'third'), 'deleted', true);
      await put(store, state(3, [2, 3], 'second'), read(2, 'second'), false);
      await holds(store, key, state(2, [4], 'third'), 'after a put from before the second deletion');
    }),
    check('an unknown user can be deleted, but does not come back', async (store) => {
      await put(store, state(0, [], 'second'), 'deleted', false);
      await holds(store, key, undefined, 'of an unknown user');
      await store.delete(key);
      await put(store, state(1), undefined, false);
      await put(store, state(0, [], 'second'), 'deleted', true);
      await holds(store, key, state(0, [], 'second'), 'of one who came back');
    }),
  ];
}

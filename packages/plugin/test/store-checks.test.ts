import { describe, expect, it } from 'vitest';
import type { UserKey, UserState, UserStore } from '../src/index.js';
import { storeChecks } from '../src/testing/index.js';

/** A store that is right, but for what `wrong` names. */
function store(wrong?: 'shares-bytes' | 'mixes-tenants' | 'forgets-watermark' | 'loses-tombstone'): UserStore {
  const states = new Map<string, UserState | null>();
  const name = ({ tenant, user }: UserKey) =>
    wrong === 'mixes-tenants' ? `${tenant}${user}` : JSON.stringify([tenant, user]);
  const copy = (state: UserState) =>
    wrong === 'shares-bytes' ? state : { ...state, state: Uint8Array.from(state.state) };
  return {
    specVersion: 1,
    name: 'test',
    get: (key) => {
      const state = states.get(name(key));
      return Promise.resolve(state ? copy(state) : undefined);
    },
    put: (key, state, expected) => {
      const present = states.get(name(key));
      const fits = wrong === 'forgets-watermark' || present?.watermark === expected;
      if (present === null || !fits) return Promise.resolve(false);
      states.set(name(key), copy(state));
      return Promise.resolve(true);
    },
    delete: (key) => {
      if (wrong === 'loses-tombstone') states.delete(name(key));
      else states.set(name(key), null);
      return Promise.resolve();
    },
    forget: (key) => {
      if (states.get(name(key)) === null) states.delete(name(key));
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

describe('storeChecks', () => {
  for (const check of storeChecks(() => Promise.resolve(store())))
    it(`accepts a store that is right: ${check.name}`, () => check.run());

  for (const wrong of ['shares-bytes', 'mixes-tenants', 'forgets-watermark', 'loses-tombstone'] as const)
    it(`refuses a store that ${wrong.replace('-', ' ')}`, async () => {
      const verdicts = await Promise.allSettled(
        storeChecks(() => Promise.resolve(store(wrong))).map((check) => check.run()),
      );
      const refusals = verdicts.filter(({ status }) => status === 'rejected');
      expect(refusals.length).toBeGreaterThan(0);
      expect(refusals[0]).toMatchObject({ reason: { code: 'not-conforming' } });
    });
});

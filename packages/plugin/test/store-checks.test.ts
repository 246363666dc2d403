import { describe, expect, it } from 'vitest';
import type { UserKey, UserState, UserStore } from '../src/index.js';
import { storeChecks } from '../src/testing/index.js';

const flaws = [
  'shares-bytes',
  'mixes-tenants',
  'forgets-watermark',
  'forgets-generation',
  'loses-tombstone',
  'restores-anyone',
] as const;

/** A store that is right, but for what `wrong` names. */
function store(wrong?: (typeof flaws)[number]): UserStore {
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
      const fits = () => {
        if (expected === 'deleted') return wrong === 'restores-anyone' || present === null;
        if (present === null) return false;
        if (wrong === 'forgets-watermark') return true;
        const sameLife = wrong === 'forgets-generation' || present?.generation === expected?.generation;
        return sameLife && present?.watermark === expected?.watermark;
      };
      if (!fits()) return Promise.resolve(false);
      states.set(name(key), copy(state));
      return Promise.resolve(true);
    },
    delete: (key) => {
      if (wrong === 'loses-tombstone') states.delete(name(key));
      else states.set(name(key), null);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}

describe('storeChecks', () => {
  for (const check of storeChecks(() => Promise.resolve(store())))
    it(`accepts a store that is right: ${check.name}`, () => check.run());

  for (const wrong of flaws)
    it(`refuses a store that ${wrong.replace('-', ' ')}`, async () => {
      const verdicts = await Promise.allSettled(
        storeChecks(() => Promise.resolve(store(wrong))).map((check) => check.run()),
      );
      const refusals = verdicts.filter(({ status }) => status === 'rejected');
      expect(refusals.length).toBeGreaterThan(0);
      expect(refusals[0]).toMatchObject({ reason: { code: 'not-conforming' } });
    });
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeChecks } from '@user-llm/plugin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { memoryStore } from '../src/stores/memory-store.js';
import { openLmdbStore } from '../src/stores/lmdb-store.js';
import { decodeStored, encodeStored } from '../src/stores/stored-state.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'user-llm-store-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('memoryStore', () => {
  for (const check of storeChecks(() => Promise.resolve(memoryStore()))) it(check.name, () => check.run());
});

describe('openLmdbStore', () => {
  let opened = 0;
  for (const check of storeChecks(() => openLmdbStore(join(folder, `check-${opened++}`))))
    it(check.name, () => check.run());

  it('keeps states and tombstones when it is opened again', async () => {
    const path = join(folder, 'twice');
    const [kept, gone] = [
      { tenant: 't', user: 'kept' },
      { tenant: 't', user: 'gone' },
    ];
    const state = { encoder: 'e', watermark: 2, state: Uint8Array.of(1, 2) };
    const first = await openLmdbStore(path);
    await first.put(kept, state, undefined);
    await first.put(gone, state, undefined);
    await first.delete(gone);
    await first.close();
    const second = await openLmdbStore(path);
    expect(await second.get(kept)).toEqual(state);
    expect(await second.get(gone)).toBeUndefined();
    expect(await second.put(gone, state, undefined)).toBe(false);
    await second.close();
  });

  it("does not write a user's id", async () => {
    const path = join(folder, 'ids');
    const store = await openLmdbStore(path);
    await store.put(
      { tenant: 'tenant', user: 'alice@example.org' },
      { encoder: 'e', watermark: 1, state: Uint8Array.of(1) },
      undefined,
    );
    await store.delete({ tenant: 'tenant', user: 'bob@example.org' });
    await store.close();
    expect(readFileSync(join(path, 'data.mdb')).toString('latin1')).not.toMatch(/alice|bob/);
  });

  it('says what is wrong with a folder that is no folder', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'no store');
    await expect(openLmdbStore(path)).rejects.toMatchObject({ code: 'store-unavailable' });
  });
});

describe('stored states', () => {
  it('refuses bytes that are none', () => {
    const right = encodeStored({ encoder: 'e', watermark: 1, state: Uint8Array.of(1) });
    expect(decodeStored(right)).toEqual({ encoder: 'e', watermark: 1, state: Uint8Array.of(1) });
    const wrong = [Uint8Array.of(), Uint8Array.of(1, 2), right.slice(0, 9), right.map((byte) => byte ^ 255)];
    for (const bytes of [...wrong, Uint8Array.of(2, 0, 0, 0, 123, 125)])
      expect(() => decodeStored(bytes)).toThrow(expect.objectContaining({ code: 'bad-user-record' }));
  });
});

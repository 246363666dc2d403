import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
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
    const back = { ...state, generation: 'second' };
    const returned = { tenant: 't', user: 'returned' };
    const first = await openLmdbStore(path);
    await first.put(kept, state, undefined);
    await first.put(gone, state, undefined);
    await first.delete(gone);
    await first.delete(returned);
    await first.put(returned, back, 'deleted');
    await first.close();
    const second = await openLmdbStore(path);
    expect(await second.get(kept)).toEqual(state);
    expect(await second.get(gone)).toBeUndefined();
    expect(await second.put(gone, state, undefined)).toBe(false);
    expect(await second.get(returned)).toEqual(back);
    expect(await second.put(returned, state, { watermark: 2 })).toBe(false);
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

  /** A store of 50 users, of 3000 bytes each, and the path of its file. */
  async function filled(name: string): Promise<{ readonly path: string; readonly file: string }> {
    const path = join(folder, name);
    const store = await openLmdbStore(path);
    for (let user = 0; user < 50; user++)
      await store.put({ tenant: 't', user: `${user}` }, { ...stateOf(user), state: bytesOf(user, 3000) }, undefined);
    await store.close();
    return { path, file: join(path, 'data.mdb') };
  }
  const stateOf = (watermark: number) => ({ encoder: 'e', watermark, state: new Uint8Array() });
  const bytesOf = (seed: number, length: number) =>
    new Uint8Array(createHash('shake256', { outputLength: length }).update(`${seed}`).digest());

  it('refuses a file that is not of LMDB', async () => {
    const path = join(folder, 'noise');
    mkdirSync(path);
    writeFileSync(join(path, 'data.mdb'), bytesOf(1, 20_000));
    await expect(openLmdbStore(path)).rejects.toMatchObject({ code: 'store-unavailable' });
    writeFileSync(join(path, 'data.mdb'), 'short');
    await expect(openLmdbStore(path)).rejects.toMatchObject({ code: 'store-unavailable' });
    // So a process leaves it that ends as it begins.
    writeFileSync(join(path, 'data.mdb'), '');
    await (await openLmdbStore(path)).close();
  });

  it.each([0.1, 0.5, 0.95])('refuses a file of which %d is left', async (left) => {
    const { path, file } = await filled(`cut-${left}`);
    truncateSync(file, Math.floor(left * statSync(file).size));
    await expect(openLmdbStore(path)).rejects.toMatchObject({
      code: 'store-unavailable',
      message: expect.stringContaining('without pages') as string,
    });
  });

  it('opens a file whose last pages are free and were never written', async () => {
    const { path, file } = await filled('free-end');
    const content = readFileSync(file);
    const [transaction, lastPage] = [152, 144];
    const newer = [0, 4096].sort((a, b) =>
      Number(content.readBigUInt64LE(b + transaction) - content.readBigUInt64LE(a + transaction)),
    )[0]!;
    content.writeBigUInt64LE(content.readBigUInt64LE(newer + lastPage) + 3n, newer + lastPage);
    writeFileSync(file, content);
    const store = await openLmdbStore(path);
    expect(await store.get({ tenant: 't', user: '49' })).toMatchObject({ watermark: 49, state: bytesOf(49, 3000) });
    await store.close();
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
    const back = { encoder: 'e', watermark: 1, generation: 'second', state: Uint8Array.of(1) };
    expect(decodeStored(encodeStored(back))).toEqual(back);
    const wrong = [Uint8Array.of(), Uint8Array.of(1, 2), right.slice(0, 9), right.map((byte) => byte ^ 255)];
    for (const bytes of [...wrong, Uint8Array.of(2, 0, 0, 0, 123, 125)])
      expect(() => decodeStored(bytes)).toThrow(expect.objectContaining({ code: 'bad-user-record' }));
  });
});

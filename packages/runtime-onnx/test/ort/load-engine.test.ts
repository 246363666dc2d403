import koffi from 'koffi';
import type { UserLlmError } from '@user-llm/tensor';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { oldestRelease } from '../../src/lowering/releases.js';
import { apiTable, oldestApiVersion } from '../../src/ort/api-table.js';
import { negotiateApiVersion } from '../../src/ort/c-api.js';
import { packagedLibrary } from '../../src/ort/library.js';
import { loadEngine } from '../../src/ort/load-engine.js';
import { identityModel } from './models.js';

const code = (expected: string) => expect.objectContaining({ name: 'UserLlmError', code: expected }) as UserLlmError;

/** koffi as the next engine will find it. */
function replaceKoffi(replacement: () => object): void {
  vi.doMock('koffi', replacement);
}

describe('loadEngine', () => {
  afterEach(() => {
    vi.doUnmock('koffi');
  });

  it('prefers the C API', async () => {
    const engine = await loadEngine();
    expect(engine.kind).toBe('c-api');
    await engine.dispose();
  });

  it('opens a library by its path', async () => {
    const engine = await loadEngine({ library: packagedLibrary() });
    expect(engine.kind).toBe('c-api');
    await engine.dispose();
  });

  it('takes the package instead, with one warning that says why, when koffi cannot be loaded', async () => {
    replaceKoffi(() => {
      throw new Error('Cannot find the native Koffi module');
    });
    const warnings: string[] = [];
    const engine = await loadEngine({ warn: (message) => warnings.push(message) });
    expect(engine.kind).toBe('package');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/koffi/i);
    const session = await engine.createSession(identityModel('float32', [1]));
    const x = { dtype: 'float32', shape: [1], data: Float32Array.of(7) } as const;
    expect((await session.run({ x }))['y']).toEqual(x);
    await engine.dispose();
  });

  it('takes the package instead when others have fixed too small a stack', async () => {
    const config = (change?: object): unknown => {
      if (change) throw new Error('Cannot change Koffi configuration once a library has been loaded');
      return { sync_stack_size: 2 ** 21, async_stack_size: 2 ** 17 };
    };
    replaceKoffi(() => ({ default: { ...koffi, config } }));
    const warnings: string[] = [];
    const engine = await loadEngine({ warn: (message) => warnings.push(message) });
    expect(engine.kind).toBe('package');
    expect(warnings[0]).toMatch(/131072/);
    await engine.dispose();
  });

  it('replaces nothing that was asked for by name', async () => {
    replaceKoffi(() => {
      throw new Error('Cannot find the native Koffi module');
    });
    await expect(loadEngine({ engine: 'c-api' })).rejects.toEqual(code('no-engine'));
    await expect(loadEngine({ library: packagedLibrary() })).rejects.toEqual(code('no-engine'));
  });

  it('refuses a file that is no ONNX Runtime', async () => {
    await expect(loadEngine({ library: '/no/such/library.so' })).rejects.toEqual(code('no-engine'));
    await expect(loadEngine({ library: process.execPath })).rejects.toEqual(code('no-engine'));
  });

  it('says where a library for this platform was looked for', () => {
    expect(() => packagedLibrary('aix', 'ppc64')).toThrow(code('no-engine'));
    expect(() => packagedLibrary('aix', 'ppc64')).toThrow(/aix-ppc64/);
  });
});

describe('API version', () => {
  it('is the minor version of the release', () => {
    expect(negotiateApiVersion('1.30.0', 'library')).toBe(30);
    expect(negotiateApiVersion(`1.${oldestRelease}.1`, 'library')).toBe(oldestRelease);
  });

  it('is refused when functions that we call, or operators of most models, are missing', () => {
    expect(oldestRelease).toBeGreaterThanOrEqual(oldestApiVersion);
    for (const version of ['1.16.3', '0.5.0', '2.0.0', 'unknown']) {
      expect(() => negotiateApiVersion(version, 'library')).toThrow(code('old-engine'));
    }
    expect(() => negotiateApiVersion('1.16.3', 'library')).toThrow(/1\.17\.0 or newer/);
  });

  it('comes with indexes that differ and grow with the version', () => {
    const functions = Object.values(apiTable).sort((one, other) => one.index - other.index);
    expect(new Set(functions.map(({ index }) => index)).size).toBe(functions.length);
    const versions = functions.map(({ since }) => since);
    expect(versions).toEqual([...versions].sort((one, other) => one - other));
  });
});

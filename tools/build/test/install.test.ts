import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installState } from '../install.mjs';

describe('installState', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'user-llm-install-'));
    mkdirSync(join(root, 'node_modules'));
    lock('package-lock.json', {
      '': {},
      'packages/tensor': { version: '0.1.0' },
      'node_modules/@user-llm/tensor': { link: true },
      'node_modules/zod': { version: '4.6.7' },
      'node_modules/only-on-another-platform': { version: '1.0.0', optional: true },
    });
  });

  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  function lock(path: string, packages: object): void {
    writeFileSync(join(root, path), JSON.stringify({ packages }));
  }

  it('is missing where npm has never installed', () => {
    expect(installState(root)).toBe('missing');
  });

  it('is complete without the packages of other platforms', () => {
    lock('node_modules/.package-lock.json', { 'node_modules/zod': { version: '4.6.7' } });
    expect(installState(root)).toBe('complete');
  });

  it('is outdated when a package is absent or of another version', () => {
    lock('node_modules/.package-lock.json', {});
    expect(installState(root)).toBe('outdated');
    lock('node_modules/.package-lock.json', { 'node_modules/zod': { version: '4.6.6' } });
    expect(installState(root)).toBe('outdated');
  });
});

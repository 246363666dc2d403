import { expect, it } from 'vitest';
import { lockfileFindings } from '../src/lockfile.js';

const whole = { version: '1.0.0', integrity: 'sha512-x' };

it('finds nothing in a lock file that is whole', () => {
  const packages = {
    '': {},
    'packages/tensor': { version: '0.1.0' },
    'node_modules/@user-llm/tensor': { resolved: 'packages/tensor', link: true },
    'node_modules/nx': { ...whole, optionalDependencies: { '@nx/nx-linux-x64-gnu': '1.0.0' } },
    'node_modules/nx/node_modules/@nx/nx-linux-x64-gnu': whole,
  };
  expect(lockfileFindings({ packages })).toEqual([]);
});

it('finds a platform package without an entry, unless that is borne', () => {
  const packages = { 'node_modules/nx': { ...whole, optionalDependencies: { '@nx/nx-darwin-arm64': '1.0.0' } } };
  expect(lockfileFindings({ packages })).toEqual([
    'node_modules/nx@1.0.0 names @nx/nx-darwin-arm64, which has no entry',
  ]);
  expect(lockfileFindings({ packages }, { 'node_modules/nx': 'never published' })).toEqual([]);
});

it('finds a registry, a missing hash and what an interrupted install left', () => {
  const packages = {
    'node_modules/a': { ...whole, resolved: 'https://example.org/a-1.0.0.tgz' },
    'node_modules/b': { version: '1.0.0' },
    'node_modules/c': { ...whole, extraneous: true },
  };
  expect(lockfileFindings({ packages })).toEqual([
    'node_modules/a is tied to example.org',
    'node_modules/b has no integrity hash',
    'node_modules/c is extraneous',
  ]);
});

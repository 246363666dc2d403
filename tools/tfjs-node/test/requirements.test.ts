import { expect, test } from 'vitest';
import type { Host } from '../src/host.mjs';
import { checkRequirements } from '../src/requirements.mjs';

const able: Host = {
  platform: 'linux',
  arch: 'x64',
  nodeVersion: '20.20.2',
  answers: () => true,
  nodeHeaders: '/usr/include/node',
};

test('a machine that has everything passes', () => {
  expect(checkRequirements(able)).toEqual({ nodeHeaders: '/usr/include/node' });
});

test.each([
  [{ platform: 'darwin' }, 'unsupported-platform', /linux x64.*got darwin x64.*WASM/],
  [{ arch: 'arm64' }, 'unsupported-platform', /got linux arm64/],
  [{ nodeVersion: '17.9.1' }, 'unsupported-node', /Node\.js 18 to 22, got 17\.9\.1/],
  [{ nodeVersion: '23.0.0' }, 'unsupported-node', /got 23\.0\.0.*removed/],
  [{ nodeHeaders: undefined }, 'missing-tools', /no the headers of Node\.js.*NODE_INCLUDE/],
  [{ answers: (command: string) => command !== 'g++' }, 'missing-tools', /got no g\+\+ with C\+\+17/],
])('%o is refused with what is missing', (lacking, code, message) => {
  const host = { ...able, ...lacking } as Host;
  expect(() => checkRequirements(host)).toThrow(expect.objectContaining({ code }) as Error);
  expect(() => checkRequirements(host)).toThrow(message);
});

test('everything that is missing is named at once', () => {
  const bare = { ...able, answers: () => false, nodeHeaders: undefined };
  expect(() => checkRequirements(bare)).toThrow(/pip.*g\+\+.*strip.*npm.*headers/);
});

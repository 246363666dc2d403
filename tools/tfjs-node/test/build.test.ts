import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { build, type BuildOptions, type Steps } from '../src/build.mjs';

let cache: string;
let options: BuildOptions;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'user-llm-addon-'));
  options = { addon: 'tfjs-node', libraries: 'cpu', cache };
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

/** Steps that leave files behind as the real ones do, without a network or a compiler. */
function steps(overrides: Partial<Steps> = {}): Steps {
  return {
    check: () => ({ nodeHeaders: '/headers' }),
    fetch: (folder) => {
      writeFileSync(join(folder, 'the.whl'), 'wheel');
      return Promise.resolve(join(folder, 'the.whl'));
    },
    assemble: (folder) => {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'addon'), 'built');
      return Promise.resolve();
    },
    prove: (folder) => (existsSync(join(folder, 'addon')) ? Promise.resolve() : Promise.reject(new Error('no addon'))),
    ...overrides,
  };
}

test('a build ends with its folder and nothing else, and is found again without any work', async () => {
  const folder = await build(options, steps());
  expect(readdirSync(cache)).toEqual([folder.slice(cache.length + 1)]);
  expect(readFileSync(join(folder, 'addon'), 'utf8')).toBe('built');
  const assemble = vi.fn<Steps['assemble']>();
  const check = vi.fn<Steps['check']>();
  expect(await build(options, steps({ assemble, check }))).toBe(folder);
  expect(assemble).not.toHaveBeenCalled();
  expect(check).not.toHaveBeenCalled();
});

test.each(['assemble', 'prove'] as const)('a build whose %s fails leaves no folder, but the wheel', async (step) => {
  const failing = steps({ [step]: () => Promise.reject(new Error('the disk is full')) });
  await expect(build(options, failing)).rejects.toThrow('the disk is full');
  expect(readdirSync(cache)).toEqual(['the.whl']);
  const folder = await build(options, steps());
  expect(existsSync(folder)).toBe(true);
});

test('a folder in the cache that does not load any more is built anew', async () => {
  const folder = await build(options, steps());
  rmSync(join(folder, 'addon'));
  expect(await build(options, steps())).toBe(folder);
  expect(existsSync(join(folder, 'addon'))).toBe(true);
});

test('what a killed run left is removed; what a running one works on is not', async () => {
  const { pid } = spawnSync(process.execPath, ['--version']);
  mkdirSync(join(cache, `something.partial-${pid}`));
  mkdirSync(join(cache, `something.partial-${process.ppid}`));
  await build(options, steps());
  expect(readdirSync(cache).filter((name) => name.startsWith('something'))).toEqual([
    `something.partial-${process.ppid}`,
  ]);
});

test('different addons and libraries have different folders', async () => {
  const variants: BuildOptions[] = [
    options,
    { ...options, libraries: 'cuda' },
    { ...options, addon: 'tfjs-node-gpu', libraries: 'cuda' },
  ];
  const folders: string[] = [];
  for (const variant of variants) folders.push(await build(variant, steps()));
  expect(new Set(folders).size).toBe(3);
});

test('the command explains itself and refuses what it does not know', () => {
  const command = fileURLToPath(new URL('../bin/build.mjs', import.meta.url));
  const run = (...args: string[]) => spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
  expect(run('--help').stdout).toContain('USER_LLM_TFJS_NODE');
  const refused = run('--addon', 'tfjs-web', '--cache', cache);
  expect(refused).toMatchObject({ status: 1, stdout: '' });
  expect(refused.stderr).toContain('expected tfjs-node or tfjs-node-gpu, got tfjs-web');
  expect(run('--quick').status).toBe(1);
});

import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { installedEngines, loadEngine } from '../src/index.js';

let folder: string;

/** Puts a package in the folder that does what its source says when it is loaded. */
function install(name: string, source: string): void {
  const home = join(folder, 'node_modules', '@tensorflow', name);
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'package.json'), JSON.stringify({ name: `@tensorflow/${name}`, main: 'index.js' }));
  writeFileSync(join(home, 'index.js'), source);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'user-llm-fallback-'));
  install('tfjs-node-gpu', "throw new Error('libcudart.so.11.0: cannot open shared object file');");
  install('tfjs-node', "throw new Error('util.isSomething is not a function');");
  vi.stubEnv('USER_LLM_TFJS_NODE', folder);
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test('what is installed but cannot start is named as installed', () => {
  expect(installedEngines()).toEqual(['tfjs-node-gpu', 'tfjs-node', 'wasm']);
});

test('an engine asked for by name that cannot start is an error with the mend', async () => {
  await expect(loadEngine({ engine: 'tfjs-node' })).rejects.toMatchObject({
    code: 'engine-cannot-start',
    message: expect.stringMatching(/util\.isSomething is not a function.*(USER_LLM_TFJS_NODE|Use Node\.js)/s) as string,
  });
});

test('engines that cannot start are passed over with one warning that says why and how to mend it', async () => {
  const warn = vi.fn();
  const engine = await loadEngine({ warn });
  expect(engine.name).toBe('wasm');
  expect(warn).toHaveBeenCalledTimes(1);
  const [message] = warn.mock.calls[0] as [string];
  expect(message).toContain('libcudart.so.11.0');
  expect(message).toContain('util.isSomething is not a function');
  expect(message).toMatch(/npm rebuild @tensorflow\/tfjs-node|Use Node\.js 20 or 22/);
  expect(message).toContain('Running on wasm.');
});

test('without a listener the warning is one of the process', async () => {
  const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  await loadEngine();
  expect(emit).toHaveBeenCalledTimes(1);
  expect(emit.mock.calls[0]![1]).toMatchObject({ type: 'UserLlmWarning', code: 'engine-fallback' });
  emit.mockRestore();
});

test('an engine that is not installed is an error that lists those present', async () => {
  vi.stubEnv('USER_LLM_TFJS_NODE', join(tmpdir(), 'nothing-is-here'));
  await expect(loadEngine({ engine: 'tfjs-node-gpu' })).rejects.toMatchObject({
    code: 'engine-missing',
    message: expect.stringMatching(/only .*wasm/) as string,
  });
});

test('unknown engines and thread counts are refused', async () => {
  const load = (options: object) => Promise.resolve().then(() => loadEngine(options));
  await expect(load({ engine: 'webgl' })).rejects.toMatchObject({ code: 'bad-option' });
  await expect(load({ threads: 0 })).rejects.toMatchObject({ code: 'bad-option' });
  await expect(load({ threads: 1.5 })).rejects.toMatchObject({ code: 'bad-option' });
});

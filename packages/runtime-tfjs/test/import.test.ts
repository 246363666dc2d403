import { expect, test } from 'vitest';

test('importing the package loads no engine', async () => {
  const tfjs = () => Object.keys(globalThis).filter((name) => name.startsWith('_tf'));
  const { loadEngine } = await import('../src/index.js');
  expect(tfjs()).toEqual([]);
  await loadEngine({ engine: 'wasm' });
  expect(tfjs()).not.toEqual([]);
});

import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { withEngine } from '../src/engine/engine.js';
import { restoreRemovedUtilities } from '../src/engine/node-shim.js';
import { installedEngines, loadEngine } from '../src/index.js';

type Test = (value: unknown) => boolean;
const util = createRequire(import.meta.url)('node:util') as { isNullOrUndefined?: Test; isArray?: Test };

test('the functions that Node.js 23 removed are put back, and others left alone', () => {
  const { isNullOrUndefined, isArray } = util;
  delete util.isNullOrUndefined;
  delete util.isArray;
  restoreRemovedUtilities();
  expect([null, undefined, 0, ''].map((value) => util.isNullOrUndefined!(value))).toEqual([true, true, false, false]);
  expect([[], {}].map((value) => util.isArray!(value))).toEqual([true, false]);
  const other: Test = () => false;
  util.isNullOrUndefined = other;
  restoreRemovedUtilities();
  expect(util.isNullOrUndefined).toBe(other);
  Object.assign(util, { isNullOrUndefined, isArray });
});

const present = installedEngines().includes('tfjs-node');

describe.skipIf(!present)('tfjs-node (skipped without USER_LLM_TFJS_NODE)', () => {
  test('is preferred to WebAssembly, starts without the removed functions, and lives beside it', async () => {
    delete util.isNullOrUndefined;
    const native = await loadEngine({ warn: (message) => expect.fail(message) });
    expect(native).toMatchObject({ name: 'tfjs-node', backend: 'tensorflow' });
    const wasm = await loadEngine({ engine: 'wasm' });

    // The native kernel of topk calls one of the functions that were removed.
    const largest = withEngine(native, () => native.tf.topk(native.tf.tensor1d([1, 3, 2]), 2).indices.dataSync());
    expect([...largest]).toEqual([1, 2]);
    expect(native.tf.getBackend()).toBe('wasm');
    const kernels = [native, wasm].map((engine) =>
      withEngine(engine, () => {
        const sum = engine.tf.add(1, 2);
        return [engine.tf.getBackend(), sum.dataSync()[0]];
      }),
    );
    expect(kernels).toEqual([
      ['tensorflow', 3],
      ['wasm', 3],
    ]);
  });
});

import type { UserLlmError } from '@user-llm/tensor';
import { expect, test } from 'vitest';
import { OnnxRuntime, type OnnxRuntimeOptions } from '../src/index.js';
import { threadSettings } from '../src/options.js';

const refused: readonly (readonly [string, unknown])[] = [
  ['parallelRuns', 0],
  ['parallelRuns', 1.5],
  ['parallelRuns', Number.NaN],
  ['pendingRuns', 0],
  ['pendingRuns', -3],
  ['pendingRuns', Number.NaN],
  ['intraOpThreads', 0],
  ['intraOpThreads', 1.5],
  ['intraOpThreads', 257],
  ['interOpThreads', -1],
  ['interOpThreads', 257],
  ['graphOptimization', 'most'],
  ['engine', 'gpu'],
  ['library', 5],
  ['library', ''],
  ['providers', 'cpu'],
  ['providers', []],
  ['providers', [5]],
  ['providers', [{ name: 'cpu', options: { device: 0 } }]],
  ['providers', [{ name: 'cpu', settings: {} }]],
  ['profile', 5],
  ['optimizedModel', 5],
  ['optimizedModel', 'model\0.onnx'],
  ['memoryArena', 'yes'],
  ['memoryPattern', 1],
  ['config', { a: 1 }],
  ['config', 'a'],
  ['warn', 'loudly'],
  ['unknownOption', 1],
];

test.each(refused)('%s: %o is refused by name', async (option, value) => {
  const error = await OnnxRuntime.create({ [option]: value }).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ name: 'UserLlmError', code: 'bad-options' });
  expect((error as UserLlmError).details.got).toContain(option);
});

test('options that are none, and a library for the package, are refused', async () => {
  for (const options of [null, 5, 'c-api', { engine: 'package', library: 'libonnxruntime.so' }]) {
    await expect(OnnxRuntime.create(options as OnnxRuntimeOptions)).rejects.toMatchObject({ code: 'bad-options' });
  }
});

test('options that are given as undefined are as if left away', async () => {
  const options = { library: undefined, pendingRuns: undefined, intraOpThreads: 1 } as unknown as OnnxRuntimeOptions;
  const runtime = await OnnxRuntime.create(options);
  expect(runtime.engine.kind).toBe('c-api');
  await runtime.dispose();
});

test('threads beyond the processors do not spin', () => {
  expect(threadSettings({}, 1)).toEqual({});
  expect(threadSettings({ intraOpThreads: 4, interOpThreads: 4 }, 4)).toEqual({});
  expect(threadSettings({ intraOpThreads: 5, interOpThreads: 6 }, 4)).toEqual({
    'session.intra_op.allow_spinning': '0',
    'session.inter_op.allow_spinning': '0',
  });
});

import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { graph, symbol } from '@user-llm/graph';
import { Tensor } from '@user-llm/tensor';
import * as plain from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportOnnx, OnnxRuntime } from '../src/index.js';
import { languageModel, normal, numbers, whole } from './support/models.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'export with spaces '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const { ids, logits, parameters, tokens } = languageModel(symbol('batch'), symbol('time'));
const source = graph([ids, ...Object.values(parameters)], { logits });
const weights = Object.fromEntries(
  Object.entries(parameters).map(([name, { axes, shape }]) => [name, normal(name, axes, shape as readonly number[])]),
);

test.each(['when-needed', 'always'] as const)(
  'a file with external data %s runs in plain onnxruntime',
  async (when) => {
    const file = join(folder, `model ${when}.onnx`);
    await exportOnnx(source, weights, file, { externalData: when });
    expect((await readdir(folder)).includes(`model ${when}.onnx.data`)).toBe(when === 'always');
    if (when === 'always') expect((await stat(`${file}.data`)).size).toBeGreaterThan(4 * 4 * 32 * 32);
    const feed = whole('ids', ids.axes, [2, 5], tokens);
    const session = await plain.InferenceSession.create(file, { intraOpNumThreads: 1 });
    const results = await session.run({ ids: new plain.Tensor('int32', feed.data as Int32Array, feed.shape) });
    await session.release();
    const runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
    const program = await runtime.compile(source, weights);
    const own = (await program.run({ ids: feed }))['logits']!.readSync();
    expect(results['logits']!.dims).toEqual(own.shape);
    expect(Array.from(results['logits']!.data as Float32Array)).toEqual(numbers(own));
    await program.dispose();
    await runtime.dispose();
  },
);

test('refuses parameters that do not fit, and writes nothing', async () => {
  const file = join(folder, 'refused.onnx');
  const refuse = (wrong: Parameters<typeof exportOnnx>[1]) => exportOnnx(source, { ...weights, ...wrong }, file);
  await expect(refuse({ other: weights['gain']! })).rejects.toMatchObject({ code: 'unknown-feed' });
  await expect(refuse({ gain: weights['table']! })).rejects.toMatchObject({ code: 'shape-mismatch' });
  await expect(refuse({ gain: weights['gain']!.cast('float64') as never })).rejects.toMatchObject({
    code: 'dtype-mismatch',
  });
  const turned = new Tensor('float32', [...weights['table']!.axes].reverse(), weights['table']!.shape);
  await expect(refuse({ table: turned as Tensor })).rejects.toMatchObject({ code: 'axis-mismatch' });
  expect((await readdir(folder)).filter((name) => name.startsWith('refused'))).toEqual([]);
});

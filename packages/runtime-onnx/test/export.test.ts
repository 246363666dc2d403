import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { graph, symbol } from '@user-llm/graph';
import { Tensor } from '@user-llm/tensor';
import * as plain from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exportOnnx, OnnxRuntime } from '../src/index.js';
import { writeModelFiles } from '../src/model-files.js';
import type { Model } from '../src/onnx-model.js';
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

/** Names of the data files of a model. */
async function dataOf(model: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.startsWith(`${model}.`)).sort();
}

test.each(['when-needed', 'always'] as const)(
  'a file with external data %s runs in plain onnxruntime',
  async (when) => {
    const file = join(folder, `model ${when}.onnx`);
    await exportOnnx(source, weights, file, { externalData: when });
    const outside = await dataOf(`model ${when}.onnx`);
    expect(outside).toHaveLength(when === 'always' ? 1 : 0);
    for (const name of outside) expect((await stat(join(folder, name))).size).toBeGreaterThan(4 * 4 * 32 * 32);
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

test('weights move out from a limit on, under the name of their content, and old ones go last', async () => {
  const file = join(folder, 'again.onnx');
  const model = (scale: number): Model => {
    const w = { name: 'w', dtype: 'float32', shape: [3], data: Float32Array.of(1, 2, scale) } as const;
    const x = { name: 'x', dtype: 'float32', shape: [3] } as const;
    const nodes = [{ op: 'Mul', inputs: ['x', 'w'], outputs: ['y'] }];
    return { name: 'scaled', inputs: [x], outputs: [{ ...x, name: 'y' }], initializers: [w], nodes };
  };
  const write = (scale: number, limit: number) => writeModelFiles(model(scale), file, new Set(['w']), limit);
  const run = async (path: string): Promise<number[]> => {
    const session = await plain.InferenceSession.create(path, { intraOpNumThreads: 1 });
    const { y } = await session.run({ x: new plain.Tensor('float32', Float32Array.of(1, 1, 1), [3]) });
    await session.release();
    return Array.from(y!.data as Float32Array);
  };
  await write(3, 13);
  expect(await dataOf('again.onnx')).toEqual([]);
  await write(3, 12);
  const [first] = await dataOf('again.onnx');
  const content = await readFile(join(folder, first!));
  expect(first).toBe(`again.onnx.${createHash('sha256').update(content).digest('hex').slice(0, 16)}.data`);
  expect(await run(file)).toEqual([1, 2, 3]);
  const old = await readFile(file);
  await write(4, 12);
  const [second, ...others] = await dataOf('again.onnx');
  expect(others).toEqual([]);
  expect(await run(file)).toEqual([1, 2, 4]);
  // As after a kill between the two files: the new data is there, the model is still the old one.
  await Promise.all([writeFile(file, old), writeFile(join(folder, first!), content)]);
  expect(await run(file)).toEqual([1, 2, 3]);
  // As if only the model had been kept.
  await rm(join(folder, first!));
  await expect(run(file)).rejects.toThrow();
  await write(5, 13);
  expect(await dataOf('again.onnx')).toEqual([]);
  expect(second).not.toBe(first);
});

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

import os from 'node:os';
import { expect, test } from 'vitest';
import { getThreadsCount } from '@tensorflow/tfjs-backend-wasm';
import { loadEngine } from '../src/index.js';

test('WebAssembly runs on the threads asked for and leaves no trace in the process', async () => {
  const { cpus } = os;
  const { createObjectURL } = URL;
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const listeners = () => events.map((event) => process.listenerCount(event));
  const before = listeners();
  const keepAlive = () => process.getActiveResourcesInfo().filter((kind) => /port|worker/i.test(kind));
  const alive = keepAlive();

  const { tf, threads } = await loadEngine({ engine: 'wasm', threads: 2 });

  expect(threads).toBe(2);
  expect(getThreadsCount()).toBe(2);
  expect(os.cpus).toBe(cpus);
  expect(URL.createObjectURL).toBe(createObjectURL);
  expect(listeners()).toEqual(before);
  expect(keepAlive()).toEqual(alive);

  // Whole numbers, so that the product is exact in whatever order it is added up.
  const size = 256;
  const values = Float32Array.from({ length: size * size }, (_, index) => (index * 7) % 5);
  const x = tf.tensor2d(values, [size, size]);
  const product = tf.matMul(x, x).dataSync();
  for (const at of [0, 1, size * size - 1, 100 * size + 17]) {
    const [row, column] = [Math.floor(at / size), at % size];
    let sum = 0;
    for (let k = 0; k < size; k++) sum += values[row * size + k]! * values[k * size + column]!;
    expect(product[at]).toBe(sum);
  }

  expect((await loadEngine({ engine: 'wasm' })).threads).toBe(2);
  await expect(loadEngine({ engine: 'wasm', threads: 1 })).rejects.toMatchObject({ code: 'threads-fixed' });
});

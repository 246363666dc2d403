import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { add, graph, input, symbol } from '@user-llm/graph';
import { Tensor } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OnnxRuntime } from '../../src/index.js';
import { elementsOf, engineMemory, releaseTensor } from '../../src/ort/engine-memory.js';
import { identityModel } from './models.js';

const mebibyte = 2 ** 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const filled = (length: number, value: number): Tensor =>
  new Tensor('float32', ['place'], [length], new Float32Array(length).fill(value)) as Tensor;

/** y = x + x */
const twice = () => {
  const x = input('x', 'float32', ['place'], [symbol('places')]);
  return graph([x], { y: add(x, x) });
};

describe('memory that runs allocate', () => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ engine: 'c-api' });
  });
  afterAll(() => runtime.dispose());

  it('holds the outputs of programs, out of V8’s sight, until they are disposed of', async () => {
    const program = await runtime.compile(twice());
    const x = runtime.value(filled(2 * mebibyte, 3));
    const run = async () => (await program.run({ x }))['y']!;
    (await run()).dispose();
    const before = process.memoryUsage();
    // 100 times 8 MiB; nothing is collected meanwhile.
    for (let round = 0; round < 100; round++) (await run()).dispose();
    const after = process.memoryUsage();
    expect((after.arrayBuffers - before.arrayBuffers) / mebibyte).toBeLessThan(8);
    expect((after.rss - before.rss) / mebibyte).toBeLessThan(150);
    const [y, z] = [await run(), await run()];
    y.dispose();
    const copy = z.readSync();
    z.dispose();
    z.dispose();
    collect();
    expect(copy.data.every((element) => element === 6)).toBe(true);
    expect(() => z.readSync()).toThrow('disposed');
    x.dispose();
    await program.dispose();
  });

  it('is there for runs under way whose values are disposed of meanwhile', async () => {
    const program = await runtime.compile(twice());
    const wanted = [];
    for (let value = 0; value < 20; value++) {
      const first = (await program.run({ x: filled(mebibyte, value) }))['y']!;
      const second = program.run({ x: first });
      first.dispose();
      wanted.push(second);
    }
    for (const [value, second] of wanted.entries()) {
      const y = (await second)['y']!;
      expect(y.readSync().data.every((element) => element === 4 * value)).toBe(true);
      y.dispose();
    }
    await program.dispose();
  });

  it('is let go of when a run fails', async () => {
    const program = await runtime.compile(twice());
    const x = runtime.value(filled(4 * mebibyte, 1));
    const fail = async () => {
      await expect(program.run({ x }, { signal: AbortSignal.abort() })).rejects.toThrow('aborted');
    };
    await fail();
    const before = process.memoryUsage();
    for (let round = 0; round < 50; round++) await fail();
    const after = process.memoryUsage();
    expect((after.rss - before.rss) / mebibyte).toBeLessThan(150);
    expect((after.arrayBuffers - before.arrayBuffers) / mebibyte).toBeLessThan(8);
    x.dispose();
    await program.dispose();
  });

  it('stays for whoever was handed its elements', async () => {
    const session = await runtime.engine.createSession(identityModel('float32', ['length']));
    const run = async (value: number) =>
      (await session.run({ x: { dtype: 'float32', shape: [1000], data: new Float32Array(1000).fill(value) } }))['y']!;
    const y = await run(5);
    const { data } = y;
    releaseTensor(y);
    for (let round = 0; round < 100; round++) await run(round + 10);
    collect();
    expect(data.every((element) => element === 5)).toBe(true);
    const { port1, port2 } = new MessageChannel();
    try {
      port1.postMessage(data, [data.buffer as ArrayBuffer]);
    } catch {
      // Node 21 and newer refuse it.
    }
    port2.close();
    expect(data).toHaveLength(1000);
    await session.dispose();
  });

  it('is written again by the run that it is given to', async () => {
    const session = await runtime.engine.createSession(identityModel('float32', ['length']));
    const x = (value: number) => ({ dtype: 'float32', shape: [3], data: new Float32Array(3).fill(value) }) as const;
    const { y } = await session.run({ x: x(1) });
    const again = await session.run({ x: x(2) }, { y: y! });
    expect(again['y']).toBe(y);
    expect([...elementsOf(y!)]).toEqual([2, 2, 2]);
    const z = (await session.run({ x: y! }))['y']!;
    releaseTensor(y!);
    expect([...z.data]).toEqual([2, 2, 2]);
    const kept = (await session.run({ x: x(3) }))['y']!;
    const binding = session.bind({ x: kept });
    releaseTensor(kept);
    expect(() => kept.data).toThrow('dispose');
    expect([...(await binding.run())['y']!.data]).toEqual([3, 3, 3]);
    binding.dispose();
    await session.dispose();
  });

  it('is released once, and is none of other tensors', async () => {
    const session = await runtime.engine.createSession(identityModel('float32', ['length']));
    const run = async (length: number) =>
      (await session.run({ x: { dtype: 'float32', shape: [length], data: new Float32Array(length) } }))['y']!;
    const y = await run(8);
    expect(elementsOf(y)).toHaveLength(8);
    releaseTensor(y);
    releaseTensor(y);
    expect(() => elementsOf(y)).toThrow('dispose');
    expect((await run(0)).data).toHaveLength(0);
    const own = { dtype: 'float32', shape: [1], data: new Float32Array(1) } as const;
    releaseTensor(own);
    expect(engineMemory(own)).toBeUndefined();
    expect(elementsOf(own)).toBe(own.data);
    await session.dispose();
  });

  it('is freed by the garbage collector where nobody releases it', async () => {
    const session = await runtime.engine.createSession(identityModel('float32', ['length']));
    const x = { dtype: 'float32', shape: [2 * mebibyte], data: new Float32Array(2 * mebibyte) } as const;
    const drop = async (count: number): Promise<void> => {
      for (let round = 0; round < count; round++) {
        await session.run({ x });
        collect();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    await drop(5);
    const before = process.memoryUsage().rss;
    await drop(50);
    expect((process.memoryUsage().rss - before) / mebibyte).toBeLessThan(150);
    await session.dispose();
  });
});

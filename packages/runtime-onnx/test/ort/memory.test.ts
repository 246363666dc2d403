import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, HostTensor } from '../../src/ort/engine.js';
import { loadEngine } from '../../src/ort/load-engine.js';
import { identityModel, matMulModel } from './models.js';

const mebibyte = 2 ** 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects garbage and lets what waits for it run. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const filled = (length: number, value: number): HostTensor => ({
  dtype: 'float32',
  shape: [length],
  data: new Float32Array(length).fill(value),
});

describe('memory of the C API', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await loadEngine({ engine: 'c-api' });
  });
  afterAll(() => engine.dispose());

  it('survives collections between and during runs', async () => {
    const session = await engine.createSession(identityModel('float32', ['length']));
    for (const length of [1, 3, 1000, 300_000]) {
      for (let value = 0; value < 8; value++) {
        const run = session.run({ x: filled(length, value) });
        collect();
        const y = (await run)['y']!;
        collect();
        expect(y.data.every((element) => element === value)).toBe(true);
      }
    }
    await session.dispose();
  });

  it('holds what a binding points to', async () => {
    const session = await engine.createSession(identityModel('float32', ['length']));
    const y = filled(5, 0);
    const binding = session.bind({ x: filled(5, 3) }, { y });
    await settle();
    const garbage = Array.from({ length: 1000 }, () => new Float32Array(5).fill(9));
    await binding.run();
    expect([...y.data]).toEqual([3, 3, 3, 3, 3]);
    expect(garbage).toHaveLength(1000);
    binding.dispose();
    await session.dispose();
  });

  it('shows large outputs in place for as long as a view of them is held', async () => {
    const session = await engine.createSession(identityModel('float32', ['length']));
    let tail: Float32Array;
    {
      const y = (await session.run({ x: filled(mebibyte, 4) }))['y']!;
      tail = (y.data as Float32Array).subarray(-3);
    }
    for (let round = 0; round < 20; round++) await session.run({ x: filled(mebibyte, round + 10) });
    await settle();
    expect([...tail]).toEqual([4, 4, 4]);
    await session.dispose();
  });

  it('does not grow when outputs, bindings and sessions are dropped', async () => {
    const session = await engine.createSession(identityModel('float32', ['length']), { memoryArena: false });
    const dropRuns = async (count: number): Promise<void> => {
      for (let round = 0; round < count; round++) {
        await session.run({ x: filled(mebibyte, round) });
        session.bind({ x: filled(mebibyte, round) });
        if (round % 10 === 0) await settle();
      }
    };
    const weight = new Float32Array(2 * mebibyte);
    const model = matMulModel(2048, 1024, weight);
    const dropSessions = async (count: number): Promise<void> => {
      for (let round = 0; round < count; round++) {
        await engine.createSession(model, { intraOpThreads: 1 });
        await settle();
      }
    };
    await dropRuns(10);
    await dropSessions(3);
    await settle();
    const before = process.memoryUsage().rss;
    // 60 times 12 MiB of runs and 20 times more than 8 MiB of sessions.
    await dropRuns(60);
    await dropSessions(20);
    await settle();
    expect((process.memoryUsage().rss - before) / mebibyte).toBeLessThan(150);
    await session.dispose();
  }, 60_000);
});

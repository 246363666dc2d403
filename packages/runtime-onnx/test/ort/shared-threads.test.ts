import { readdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/ort/engine.js';
import { loadEngine } from '../../src/ort/load-engine.js';
import { SharedWeights } from '../../src/ort/shared-weights.js';
import { chainModel } from './models.js';

const size = 64;
const names = ['w'];
const weight = { dtype: 'float32' as const, shape: [size, size], data: new Float32Array(size * size).fill(0.5) };
const x = { dtype: 'float32' as const, shape: [1, size], data: new Float32Array(size).fill(1) };

const threads = (): number => readdirSync('/proc/self/task').length;

const engines: Engine[] = [];
async function load(intraOpThreads?: number): Promise<Engine> {
  const engine = await loadEngine({ engine: 'c-api', ...(intraOpThreads !== undefined && { intraOpThreads }) });
  engines.push(engine);
  return engine;
}
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.dispose();
});

/** Threads that one more session brings, which has to compute what all others do. */
async function broughtBy(engine: Engine, options: Parameters<Engine['createSession']>[1]): Promise<number> {
  const before = threads();
  const weights = new SharedWeights({ w: weight });
  const session = await engine.createSession(chainModel(size, names), { ...options, weights });
  const brought = threads() - before;
  const [output] = Object.values(session.runSync({ x }));
  expect(new Set(output!.data as Float32Array)).toEqual(new Set([size / 2]));
  await session.dispose();
  return brought;
}

describe.runIf(process.platform === 'linux')('threads of sessions', () => {
  it('are shared by those that ask for as many as the first engine', async () => {
    const engine = await load(3);
    expect(await broughtBy(engine, { intraOpThreads: 3 })).toBe(0);
    expect(await broughtBy(await load(2), { intraOpThreads: 3 })).toBe(0);
  });

  it('are its own where a session asks for another number, or has settings for them', async () => {
    const engine = await load(3);
    expect(await broughtBy(engine, { intraOpThreads: 4 })).toBe(3);
    expect(await broughtBy(engine, { intraOpThreads: 3, config: { 'session.intra_op.allow_spinning': '0' } })).toBe(2);
    expect(await broughtBy(engine, { intraOpThreads: 3, config: { 'session.set_denormal_as_zero': '1' } })).toBe(2);
    expect(await broughtBy(engine, { intraOpThreads: 1 })).toBe(0);
  });

  it('are there to the end of a session that was still being made when its engine was disposed of', async () => {
    const engine = await loadEngine({ engine: 'c-api', intraOpThreads: 3 });
    const weights = new SharedWeights({ w: weight });
    const made = engine.createSession(chainModel(size, names), { intraOpThreads: 3, weights });
    await engine.dispose();
    const session = await made;
    expect(() => session.runSync({ x })).toThrow('dispose()');
  });

  it('are there anew when all engines are gone', async () => {
    await (await load(3)).dispose();
    expect(await broughtBy(await load(2), { intraOpThreads: 2 })).toBe(0);
  });

  it('are as many as ONNX Runtime chooses where neither the engine nor a session was told how many', async () => {
    const engine = await load();
    expect(await broughtBy(engine, {})).toBe(0);
    expect(await broughtBy(engine, { intraOpThreads: 3 })).toBe(2);
  });

  it('are a session’s own where the first engine was told to have one', async () => {
    const engine = await load(1);
    expect(await broughtBy(engine, { intraOpThreads: 1 })).toBe(0);
    expect(await broughtBy(engine, { intraOpThreads: 3 })).toBe(2);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/ort/engine.js';
import { loadEngine } from '../../src/ort/load-engine.js';
import { matMulModel } from './models.js';

describe('engine', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await loadEngine();
  });
  afterAll(() => engine.dispose());

  it('writes into the memory of the caller', async () => {
    const session = await engine.createSession(matMulModel(2, 2, Float32Array.of(1, 2, 3, 4)));
    const x = { dtype: 'float32', shape: [1, 2], data: Float32Array.of(1, 10) } as const;
    const y = { dtype: 'float32', shape: [1, 2], data: new Float32Array(2) } as const;
    const results = await session.run({ x }, { y });
    expect(results['y']).toBe(y);
    expect([...y.data]).toEqual([31, 42]);
    expect((await session.run({ x }))['y']).toEqual(y);
    expect(session.runSync({ x })['y']).toEqual(y);
    await session.dispose();
  });
});

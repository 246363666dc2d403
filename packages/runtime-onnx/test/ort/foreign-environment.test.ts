import { InferenceSession } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { loadEngine } from '../../src/ort/load-engine.js';
import { SharedWeights } from '../../src/ort/shared-weights.js';
import { chainModel } from './models.js';

// Alone in its process, of which ONNX Runtime has one environment.
it('sessions have threads of their own where others have started ONNX Runtime before', async () => {
  await expect(InferenceSession.create(new Uint8Array(0))).rejects.toThrow();
  const engine = await loadEngine({ engine: 'c-api', intraOpThreads: 2 });
  const data = new Float32Array(16).fill(0.5);
  const weights = new SharedWeights({ w: { dtype: 'float32', shape: [4, 4], data } });
  const session = await engine.createSession(chainModel(4, ['w']), { intraOpThreads: 2, weights });
  const x = { dtype: 'float32' as const, shape: [1, 4], data: new Float32Array(4).fill(1) };
  const [output] = Object.values(await session.run({ x }));
  expect([...(output!.data as Float32Array)]).toEqual([2, 2, 2, 2]);
  await session.dispose();
  await engine.dispose();
});

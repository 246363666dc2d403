import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserLlmError, allocate, dtypes, elements, type BaseDType } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, EngineSession, HostTensor } from '../../src/ort/engine.js';
import { loadEngine } from '../../src/ort/load-engine.js';
import { SharedWeights } from '../../src/ort/shared-weights.js';
import { groupQueryModel, identityModel, longModel, matMulModel, nonZeroModel } from './models.js';

function float32(shape: readonly number[], data?: Float32Array): HostTensor & { readonly data: Float32Array } {
  return { dtype: 'float32', shape, data: data ?? new Float32Array(elements(shape)) };
}

/** Distinct elements of any dtype: 1, 2, 3... or, of bool, 1, 0, 1... */
function counted(dtype: BaseDType, length: number): HostTensor {
  const data = allocate(dtype, length);
  const values = Array.from({ length }, (_, index) => (dtype === 'bool' ? (index + 1) % 2 : index + 1));
  if (data instanceof BigInt64Array) data.set(values.map(BigInt));
  else data.set(values);
  return { dtype, shape: [length], data };
}

const kinds = ['c-api', 'package'] as const;

describe.each(kinds)('engine %s', (kind) => {
  let engine: Engine;
  const sessions: EngineSession[] = [];
  const open: Engine['createSession'] = async (...values) => {
    const session = await engine.createSession(...values);
    sessions.push(session);
    return session;
  };
  const code = (expected: string) => expect.objectContaining({ name: 'UserLlmError', code: expected }) as UserLlmError;

  beforeAll(async () => {
    engine = await loadEngine({ engine: kind });
  });
  afterAll(async () => {
    for (const session of sessions) await session.dispose();
    await engine.dispose();
  });

  it('tells what it is', () => {
    expect(engine.kind).toBe(kind);
    expect(engine.version).toMatch(/^1\.\d+\.\d+/);
    expect(engine.availableProviders).toContain('CPUExecutionProvider');
  });

  it('describes inputs and outputs with the names of sizes', async () => {
    const session = await open(matMulModel(2, 3));
    expect(session.inputs).toEqual([
      { name: 'x', dtype: 'float32', shape: ['rows', 2] },
      { name: 'w', dtype: 'float32', shape: [2, 3] },
    ]);
    expect(session.outputs).toEqual([{ name: 'y', dtype: 'float32', shape: ['rows', 3] }]);
  });

  it('writes into the memory of the caller, or makes memory', async () => {
    const session = await open(matMulModel(2, 2, Float32Array.of(1, 2, 3, 4)));
    const x = float32([1, 2], Float32Array.of(1, 10));
    const y = float32([1, 2]);
    const results = await session.run({ x }, { y });
    expect(results['y']).toBe(y);
    expect([...y.data]).toEqual([31, 42]);
    expect((await session.run({ x }))['y']).toEqual(y);
    expect(session.runSync({ x })['y']).toEqual(y);
  });

  it.each(dtypes.filter((dtype) => kind === 'c-api' || dtype !== 'bfloat16'))('carries %s', async (dtype) => {
    const session = await open(identityModel(dtype, ['length']));
    const x = counted(dtype, 7);
    const y = { dtype, shape: [7], data: allocate(dtype, 7) };
    await session.run({ x }, { y });
    expect(y.data).toEqual(x.data);
    expect(session.runSync({ x })['y']).toEqual({ dtype, shape: [7], data: x.data });
  });

  it('takes views into larger and shared memory, and writes only there', async () => {
    const session = await open(identityModel('float32', ['length']));
    const shared = new Float32Array(new SharedArrayBuffer(16 * 4)).fill(5);
    const x = float32([3], shared.subarray(1, 4));
    const larger = new Float32Array(8).fill(-1);
    await session.run({ x }, { y: float32([3], larger.subarray(2, 5)) });
    expect([...larger]).toEqual([-1, -1, 5, 5, 5, -1, -1, -1]);
    await session.run({ x }, { y: float32([3], shared.subarray(8, 11)) });
    expect([...shared.subarray(8, 11)]).toEqual([5, 5, 5]);
  });

  it('runs other sizes with the same session', async () => {
    const session = await open(matMulModel(2, 1, Float32Array.of(1, 1)));
    for (const rows of [1, 5, 2, 64]) {
      const results = await session.run({ x: float32([rows, 2], new Float32Array(rows * 2).fill(rows)) });
      expect(results['y']?.shape).toEqual([rows, 1]);
      expect([...(results['y']?.data ?? [])]).toEqual(Array<number>(rows).fill(2 * rows));
    }
  });

  it('takes and gives tensors without elements', async () => {
    const session = await open(matMulModel(2, 3, new Float32Array(6)));
    const x = float32([0, 2]);
    expect((await session.run({ x }))['y']).toEqual(float32([0, 3]));
    const y = float32([0, 3]);
    expect((await session.run({ x }, { y }))['y']).toBe(y);
  });

  it('gives outputs whose size only the run tells, small and large', async () => {
    const session = await open(nonZeroModel());
    const few = await session.run({ x: float32([4], Float32Array.of(0, 1, 0, 2)) });
    expect(few['y']).toEqual({ dtype: 'int64', shape: [1, 2], data: BigInt64Array.of(1n, 3n) });
    const many = await session.run({ x: float32([200_000], new Float32Array(200_000).fill(1)) });
    expect(many['y']?.shape).toEqual([1, 200_000]);
    expect((many['y']?.data as BigInt64Array)[199_999]).toBe(199_999n);
  });

  it('prepares a run once and repeats it on the same memory', async () => {
    const session = await open(matMulModel(2, 2, Float32Array.of(0, 1, 1, 0)));
    const [one, other] = [float32([1, 2], Float32Array.of(1, 2)), float32([1, 2])];
    const there = session.bind({ x: one }, { y: other });
    const back = session.bind({ x: other }, { y: one });
    for (let round = 0; round < 3; round++) {
      await there.run();
      one.data.fill(0);
      back.runSync();
    }
    expect([...other.data]).toEqual([2, 1]);
    expect([...one.data]).toEqual([1, 2]);
    const first = there.run();
    await expect(there.run()).rejects.toEqual(code('busy'));
    await first;
    there.dispose();
    await expect(there.run()).rejects.toEqual(code('disposed'));
    expect(() => there.runSync()).toThrow(code('disposed'));
    back.dispose();
  });

  it('keeps several runs under way', async () => {
    const session = await open(matMulModel(64, 64, new Float32Array(64 * 64).fill(1)), { intraOpThreads: 1 });
    const runs = Array.from({ length: 24 }, (_, index) =>
      session.run({ x: float32([8, 64], new Float32Array(8 * 64).fill(index)) }),
    );
    // A synchronous run may overtake those under way.
    expect(session.runSync({ x: float32([1, 64], new Float32Array(64).fill(1)) })['y']?.data[0]).toBe(64);
    for (const [index, results] of (await Promise.all(runs)).entries()) {
      expect(new Set(results['y']?.data as Float32Array)).toEqual(new Set([index * 64]));
    }
  });

  it('keeps the event loop turning during a long run', async () => {
    const session = await open(longModel(512, 300), { intraOpThreads: 1 });
    const feeds = { x: float32([512, 512]), w: float32([512, 512]) };
    let ticks = 0;
    const ticking = setInterval(() => ticks++, 1);
    try {
      const before = ticks;
      await session.run(feeds);
      expect(ticks - before).toBeGreaterThan(10);
    } finally {
      clearInterval(ticking);
    }
  });

  it('ends a run when its signal aborts, and runs again', async () => {
    const session = await open(longModel(512, 400), { intraOpThreads: 1 });
    const feeds = { x: float32([512, 512]), w: float32([512, 512]) };
    let finished = false;
    const controller = new AbortController();
    const run = session.run(feeds, undefined, { signal: controller.signal }).then(() => (finished = true));
    setTimeout(() => {
      controller.abort(new Error('enough'));
    }, 20);
    await expect(run).rejects.toEqual(code('aborted'));
    expect(finished).toBe(false);
    await expect(session.run(feeds, undefined, { signal: controller.signal })).rejects.toEqual(code('aborted'));
    const again = await open(matMulModel(1, 1, Float32Array.of(3)));
    const quiet = { signal: new AbortController().signal };
    expect((await again.run({ x: float32([1, 1], Float32Array.of(2)) }, undefined, quiet))['y']?.data[0]).toBe(6);
  });

  it('updates a cache of keys and values in place, equal to one that grows', async () => {
    const [heads, headSize, room] = [2, 16, 6];
    const width = heads * headSize;
    const session = await open(groupQueryModel({ heads, headSize }));
    let seed = 1;
    const random = (shape: readonly number[]): HostTensor =>
      float32(
        shape,
        Float32Array.from({ length: elements(shape) }, () => (seed = (seed * 16807) % 2147483647) / 2147483647 - 0.5),
      );
    const int32 = (value: number): HostTensor => ({ dtype: 'int32', shape: [1], data: Int32Array.of(value) });
    const fixedKey = float32([1, heads, room, headSize]);
    const fixedValue = float32([1, heads, room, headSize]);
    let pastKey: HostTensor = float32([1, heads, 0, headSize]);
    let pastValue: HostTensor = float32([1, heads, 0, headSize]);
    for (let position = 0; position < room; position++) {
      const [query, key, value] = [random([1, 1, width]), random([1, 1, width]), random([1, 1, width])];
      const token = { query, key, value, last: int32(position) };
      const grown = await session.run({ ...token, pastKey, pastValue, total: int32(position + 1) });
      const inPlace = await session.run(
        { ...token, pastKey: fixedKey, pastValue: fixedValue, total: int32(position + 1) },
        { y: null, presentKey: fixedKey, presentValue: fixedValue },
      );
      expect(inPlace['y']?.data).toEqual(grown['y']?.data);
      expect(inPlace['presentKey']).toBe(fixedKey);
      pastKey = grown['presentKey']!;
      pastValue = grown['presentValue']!;
    }
    expect(fixedKey.data).toEqual(pastKey.data);
    expect(fixedValue.data).toEqual(pastValue.data);
  });

  it('reads external weights from memory, for several sessions', async () => {
    const w = float32([4, 2], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    const weights = new SharedWeights({ w });
    const model = matMulModel(4, 2, 'memory');
    const both = await Promise.all([open(model, { weights }), open(model, { weights, intraOpThreads: 1 })]);
    const x = float32([1, 4], Float32Array.of(1, 0, 0, 1));
    for (const session of both) expect([...((await session.run({ x }))['y']?.data ?? [])]).toEqual([8, 10]);
    await both[0].dispose();
    expect([...((await both[1].run({ x }))['y']?.data ?? [])]).toEqual([8, 10]);
    await expect(open(model)).rejects.toSatisfy((error) => UserLlmError.isInstance(error));
    const short = new SharedWeights({ w: float32([3, 2]) });
    await expect(open(model, { weights: short })).rejects.toSatisfy((error) => UserLlmError.isInstance(error));
  });

  it('takes every option of a session', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'engine-'));
    try {
      const optimizedModel = join(folder, 'optimized.onnx');
      const session = await open(matMulModel(2, 2, new Float32Array(4)), {
        intraOpThreads: 2,
        interOpThreads: 2,
        graphOptimization: 'basic',
        providers: [{ name: 'cpu', options: {} }],
        profile: join(folder, 'profile'),
        optimizedModel,
        memoryArena: false,
        memoryPattern: false,
        config: { 'session.intra_op.allow_spinning': '0' },
      });
      await session.run({ x: float32([1, 2]) });
      const events = JSON.parse(readFileSync(await session.endProfiling(), 'utf8')) as readonly {
        readonly name: string;
      }[];
      expect(events.some(({ name }) => name.includes('MatMul') || name === 'model_run')).toBe(true);
      await expect(session.endProfiling()).rejects.toEqual(code('not-profiling'));
      const fromFile = await open(optimizedModel);
      expect(fromFile.outputs[0]?.name).toBe('y');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('refuses providers that are not there, and lists those that are', async () => {
    const model = identityModel('float32', [1]);
    const ofAnotherSystem = process.platform === 'darwin' ? 'dml' : 'coreml';
    for (const name of [ofAnotherSystem, 'quantum']) {
      const opening = open(model, { providers: [name as 'coreml', 'cpu'] });
      await expect(opening).rejects.toEqual(code('unavailable-provider'));
      await expect(opening).rejects.toThrow(/one of.* cpu/);
    }
  });

  it.skipIf(process.platform === 'darwin')('runs on CUDA, or says that it cannot start', async () => {
    const opening = open(identityModel('float32', [1]), { providers: [{ name: 'cuda', options: { device_id: '0' } }] });
    const outcome = await opening.then(
      (session) => session.runSync({ x: float32([1], Float32Array.of(3)) })['y']?.data[0],
      (error: unknown) => error,
    );
    expect([3, code('unavailable-provider')]).toContainEqual(outcome);
  });

  it('refuses models that are none', async () => {
    const whole = matMulModel(2, 2, new Float32Array(4));
    await expect(open(Uint8Array.of(1, 2, 3, 4))).rejects.toEqual(code('onnxruntime-invalid-protobuf'));
    await expect(open(whole.subarray(0, whole.length >> 1))).rejects.toSatisfy((error) =>
      UserLlmError.isInstance(error),
    );
    await expect(open(join(tmpdir(), 'no', 'such.onnx'))).rejects.toEqual(code('onnxruntime-no-such-file'));
  });

  it('refuses types that tensors do not have', async () => {
    await expect(open(identityModel('uint32', [1]))).rejects.toEqual(code('unsupported-dtype'));
    if (kind === 'c-api') return;
    await expect(open(identityModel('bfloat16', [1]))).rejects.toEqual(code('unsupported-dtype'));
  });

  it('refuses feeds and fetches that do not fit', async () => {
    const session = await open(matMulModel(2, 2));
    const x = float32([1, 2]);
    const w = float32([2, 2]);
    const refused: readonly [string, Parameters<EngineSession['run']>[0], Parameters<EngineSession['run']>[1]?][] = [
      ['missing-feed', { x }],
      ['unknown-input', { x, w, z: x }],
      ['unknown-output', { x, w }, { z: null }],
      ['wrong-shape', { x: float32([2]), w }],
      ['wrong-shape', { x: float32([1, 3]), w }],
      ['wrong-shape', { x: { ...x, data: new Float32Array(3) }, w }],
      ['wrong-shape', { x, w }, { y: float32([1, 3]) }],
      ['wrong-dtype', { x: { dtype: 'int32', shape: [1, 2], data: new Int32Array(2) }, w }],
      ['wrong-dtype', { x: { ...x, data: new Int32Array(2) }, w }],
      ['onnxruntime-invalid-argument', { x, w }, { y: float32([5, 2]) }],
    ];
    for (const [expected, feeds, fetches] of refused) {
      await expect(session.run(feeds, fetches)).rejects.toEqual(code(expected));
      expect(() => session.runSync(feeds, fetches)).toThrow(code(expected));
    }
    expect((await session.run({ x, w }))['y']?.shape).toEqual([1, 2]);
  });

  it('refuses memory that moved away or may move', async () => {
    const session = await open(identityModel('float32', ['length']));
    const x = float32([4]);
    const binding = session.bind({ x }, { y: null });
    structuredClone(x.data.buffer, { transfer: [x.data.buffer as ArrayBuffer] });
    await expect(binding.run()).rejects.toEqual(code('bad-buffer'));
    await expect(session.run({ x })).rejects.toEqual(code('bad-buffer'));
    const Resizable = ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer;
    const movable = new Float32Array(new Resizable(16, { maxByteLength: 64 }), 0, 4);
    await expect(session.run({ x: float32([4], movable) })).rejects.toEqual(code('bad-buffer'));
    binding.dispose();
  });

  it('lets runs end before it disposes, and refuses later ones', async () => {
    const session = await open(matMulModel(64, 64, new Float32Array(64 * 64).fill(1)));
    const x = float32([1, 64], new Float32Array(64).fill(1));
    const binding = session.bind({ x });
    const run = session.run({ x });
    await session.dispose();
    await session.dispose();
    expect((await run)['y']?.data[0]).toBe(64);
    await expect(session.run({ x })).rejects.toEqual(code('disposed'));
    expect(() => session.runSync({ x })).toThrow(code('disposed'));
    expect(() => session.bind({ x })).toThrow(code('disposed'));
    await expect(binding.run()).rejects.toEqual(code('disposed'));
    await expect(session.endProfiling()).rejects.toEqual(code('disposed'));
  });

  it('disposes of its sessions with itself', async () => {
    const own = await loadEngine({ engine: kind });
    const session = await own.createSession(identityModel('float32', [1]));
    await own.dispose();
    await own.dispose();
    await expect(session.run({ x: float32([1]) })).rejects.toEqual(code('disposed'));
    await expect(own.createSession(identityModel('float32', [1]))).rejects.toEqual(code('disposed'));
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { evaluate, graph, input, joinAxes, rotary, splitAxis, symbol, toReference, type Graph } from '@user-llm/graph';
import * as plain from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lower } from '../src/lowering/lower.js';
import { exportOnnx, OnnxRuntime } from '../src/index.js';
import { normal, numbers, whole } from './support/models.js';

const [heads, headSize] = [3, 20];

interface Turn {
  /** Pairs that are turned, of 10. */
  readonly pairs: number;
  readonly interleaved?: boolean;
  readonly scale?: number;
  /** Whether all users stand at the same positions. */
  readonly shared?: boolean;
  readonly dtype?: 'float32' | 'float64';
}

/** Heads of linear maps, `[batch, token, width]`, turned by their positions. */
function turned({ pairs, shared = false, dtype = 'float32', ...more }: Turn): Graph {
  const [batch, time] = [symbol('batch'), symbol('time')];
  const x = input('x', dtype as 'float32', ['batch', 'token', 'width'], [batch, time, heads * headSize]);
  const positions = shared
    ? input('positions', 'int32', ['token'], [time])
    : input('positions', 'int32', ['batch', 'token'], [batch, time]);
  const apart = splitAxis(x, 'width', { head: heads, headSize }, ['batch', 'token', 'head', 'headSize']);
  const frequencies = Array.from({ length: pairs }, (_, pair) => 0.7 ** pair);
  const y = rotary(apart, positions as typeof positions & { axes: ['token'] }, { frequencies, ...more });
  return graph([x, positions], { y: joinAxes(y, ['head', 'headSize'], 'width', ['batch', 'token', 'width']) });
}

const operators = (turn: Turn): string[] => lower(turned(turn)).nodes.map(({ op }) => op);

test('heads are turned by one node as linear maps give them, and by parts where ONNX Runtime has none', () => {
  for (const turn of [{ pairs: 10 }, { pairs: 4, interleaved: true }, { pairs: 10, shared: true }]) {
    const found = lower(turned(turn)).nodes.filter(({ inputs }) => inputs.includes('x'));
    // What else reads the heads asks for their sizes.
    expect(found.map(({ op }) => op).filter((op) => op !== 'Shape')).toEqual(['RotaryEmbedding']);
    expect(operators(turn).at(-1)).toBe('RotaryEmbedding');
  }
  const wide = operators({ pairs: 10, dtype: 'float64' });
  expect(wide).not.toContain('RotaryEmbedding');
  expect(wide).toContain('Concat');
});

test('an exported file runs in plain onnxruntime', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rotary-'));
  try {
    const file = join(folder, 'rotary.onnx');
    const source = turned({ pairs: 10 });
    await exportOnnx(source, {}, file);
    const x = normal('x', ['batch', 'token', 'width'], [2, 5, heads * headSize], 1);
    const positions = whole('positions', ['batch', 'token'], [2, 5], 9);
    const session = await plain.InferenceSession.create(file, { intraOpNumThreads: 1 });
    const results = await session.run({
      x: new plain.Tensor('float32', x.data as Float32Array, x.shape),
      positions: new plain.Tensor('int32', positions.data as Int32Array, positions.shape),
    });
    await session.release();
    const wanted = evaluate(source, { x: toReference(x), positions: toReference(positions) })['y']!;
    const got = results['y']!.data as Float32Array;
    expect(got).toHaveLength(wanted.data.length);
    wanted.data.forEach((value, at) => expect(got[at]).toBeCloseTo(value, 5));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

describe.each([1, 2])('on %d threads', (threads) => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ intraOpThreads: threads });
  });
  afterAll(() => runtime.dispose());

  test.each<Turn>([
    { pairs: 10 },
    { pairs: 10, interleaved: true },
    { pairs: 4, scale: 1.3 },
    { pairs: 4, interleaved: true, shared: true, scale: 0.8 },
    { pairs: 10, shared: true },
  ])('equals the reference for all sizes: %o', async (turn) => {
    const source = turned(turn);
    const program = await runtime.compile(source);
    for (const [users, tokens] of [
      [1, 1],
      [0, 3],
      [2, 0],
      [3, 5],
      [2, 37],
    ] as const) {
      const feeds = {
        x: normal('x', ['batch', 'token', 'width'], [users, tokens, heads * headSize], 1),
        positions: turn.shared
          ? whole('positions', ['token'], [tokens], 500)
          : whole('positions', ['batch', 'token'], [users, tokens], 500),
      };
      const arrays = Object.entries(feeds).map(([name, tensor]) => [name, toReference(tensor)] as const);
      const wanted = evaluate(source, Object.fromEntries(arrays))['y']!;
      const got = (await program.run(feeds))['y']!.readSync();
      expect(got.shape).toEqual(wanted.shape);
      // Angles of hundreds of radians are rounded to 24 bits.
      expect(Math.max(0, ...numbers(got).map((value, at) => Math.abs(value - wanted.data[at]!)))).toBeLessThan(3e-4);
    }
    await program.dispose();
  });
});

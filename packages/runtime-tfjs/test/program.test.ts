import {
  add,
  applyOne,
  constant,
  definePrimitive,
  exponential,
  graph,
  input,
  matmul,
  multiply,
  scatterAdd,
  sum,
  symbol,
  type Attributes,
  type PrimitiveOperator,
  type Symbolic,
} from '@user-llm/graph';
import { Tensor, type Axes } from '@user-llm/tensor';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { TfjsRuntime, type Value } from '../src/index.js';
import { describeEngines } from './engines.js';

const floats = (axes: Axes, shape: number[], data: number[]): Tensor =>
  new Tensor('float32', axes, shape, Float32Array.from(data)) as Tensor;

function take(value: Value | undefined): number[] {
  const { data } = value!.readSync();
  value!.dispose();
  return Array.from(data as Float32Array);
}

describeEngines('programs', (_, name) => {
  let runtime: TfjsRuntime;
  let tensors: number;
  beforeAll(async () => {
    runtime = await TfjsRuntime.create({ engine: name });
  });
  beforeEach(() => {
    tensors = runtime.engine.tf.memory().numTensors;
  });
  afterEach(() => {
    expect(runtime.engine.tf.memory().numTensors).toBe(tensors);
  });

  const batch = symbol('batch');
  const x = input('x', 'float32', ['b', 'k'], [batch, 2]);
  const w = input('w', 'float32', ['k', 'n'], [2, 3]);
  const linear = graph([x, w], { y: add(matmul(x, w), 1), x, w });
  const weights = floats(['k', 'n'], [2, 3], [1, 2, 3, 4, 5, 6]);

  test('frozen inputs are given once and not fed', async () => {
    const program = await runtime.compile(linear, { w: weights });
    for (let time = 0; time < 2; time++) {
      const results = await program.run({ x: floats(['b', 'k'], [1, 2], [1, 1]) });
      expect(take(results['y'])).toEqual([6, 8, 10]);
      expect(take(results['w'])).toEqual([1, 2, 3, 4, 5, 6]);
      results['x']!.dispose();
    }
    await program.dispose();
  });

  test('symbolic sizes are bound anew by the feeds of each run', async () => {
    const program = await runtime.compile(linear);
    const one = await program.run({ x: floats(['b', 'k'], [1, 2], [1, 1]), w: weights });
    const two = program.runSync({ x: floats(['b', 'k'], [2, 2], [1, 0, 0, 1]), w: weights });
    expect([one['y']!.shape, two['y']!.shape]).toEqual([
      [1, 3],
      [2, 3],
    ]);
    expect(take(one['y'])).toEqual([6, 8, 10]);
    expect(take(two['y'])).toEqual([2, 3, 4, 5, 6, 7]);
    // An input that is an output comes back as a value of its own.
    expect(take(one['x'])).toEqual([1, 1]);
    for (const value of [one['w'], two['x'], two['w']]) value!.dispose();
    await program.dispose();
  });

  test('values stay where they are, and are read, written and disposed of', async () => {
    const program = await runtime.compile(linear);
    const held = runtime.value(weights);
    const fed = floats(['b', 'k'], [1, 2], [1, 0]);
    const run = (): number[] => {
      const { y, ...others } = program.runSync({ x: fed, w: held });
      Object.values(others).forEach((value) => value.dispose());
      return take(y);
    };
    expect(run()).toEqual([2, 3, 4]);
    held.write(floats(['k', 'n'], [2, 3], [0, 0, 0, 0, 0, 0]));
    expect(run()).toEqual([1, 1, 1]);

    const copy = await held.read();
    copy.data.fill(9 as never);
    expect([...(await held.read()).data]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(() => held.write(floats(['k', 'n'], [3, 2], [1, 2, 3, 4, 5, 6]))).toThrow(/expected \[2, 3\], got \[3, 2\]/);
    expect(() => held.write(weights.cast('int32') as Tensor)).toThrow(/expected float32, got int32/);
    held.dispose();
    held.dispose();
    await expect(held.read()).rejects.toMatchObject({ code: 'disposed' });
    await expect(program.run({ x: fed, w: held })).rejects.toMatchObject({ code: 'disposed' });
    await program.dispose();
    await expect(program.run({ x: fed, w: weights })).rejects.toMatchObject({ code: 'disposed' });
  });

  test('a host array that changes after it was fed does not change the value', () => {
    const source = floats(['k', 'n'], [2, 3], [1, 2, 3, 4, 5, 6]);
    const held = runtime.value(source);
    source.data.fill(0 as never);
    expect(take(held)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test.each([
    ['missing-feed', {}],
    ['unknown-feed', { w: weights, x: floats(['b', 'k'], [1, 2], [1, 1]), z: weights }],
    ['shape-mismatch', { w: weights, x: floats(['b', 'k'], [1, 3], [1, 1, 1]) }],
    ['shape-mismatch', { w: weights, x: floats(['b'], [2], [1, 1]) }],
    ['axis-mismatch', { w: weights, x: floats(['k', 'b'], [1, 2], [1, 1]) }],
    ['dtype-mismatch', { w: weights, x: floats(['b', 'k'], [1, 2], [1, 1]).cast('int32') as Tensor }],
  ])('bad feeds are errors: %s', async (code, feeds) => {
    const program = await runtime.compile(linear);
    await expect(program.run({ w: weights, ...feeds })).rejects.toMatchObject({
      code: 'w' in feeds ? code : 'missing-feed',
    });
    expect(() => program.runSync(feeds)).toThrow(expect.objectContaining({ code }) as Error);
    await program.dispose();
  });

  test('a runtime that is disposed of releases its programs and compiles no more; the engine stays for others', async () => {
    const own = await TfjsRuntime.create({ engine: name });
    const { tf } = own.engine;
    const before = tf.memory().numTensors;
    const program = await own.compile(linear, { w: weights });
    expect(tf.memory().numTensors).toBeGreaterThan(before);
    await own.dispose();
    await own.dispose();
    expect(tf.memory().numTensors).toBe(before);
    await expect(program.run({})).rejects.toMatchObject({ code: 'disposed' });
    await expect(own.compile(linear)).rejects.toMatchObject({ code: 'disposed' });
    await expect(own.compileTrainStep(linear, { carry: {}, initial: {} })).rejects.toMatchObject({ code: 'disposed' });
    await (await runtime.compile(linear)).dispose();
  });

  test('a dtype that the kernels lack is refused when the graph is compiled', async () => {
    const wide = input('x', 'float64', ['a'], [2]);
    const source = graph([wide], { y: sum(wide as unknown as Symbolic<'float32', readonly ['a']>) });
    await expect(runtime.compile(source)).rejects.toThrow(
      expect.objectContaining({ code: 'unsupported-dtype' }) as Error,
    );
    expect(() => runtime.value(new Tensor('int64', ['a'], [1]) as Tensor)).toThrow(/int64.*Convert it/);
  });

  test('a run that fails half way releases everything', async () => {
    const ids = input('ids', 'int32', ['r'], [2]);
    const rows = input('rows', 'float32', ['r', 'e'], [2, 2]);
    const program = await runtime.compile(graph([ids, rows], { y: scatterAdd(ids, exponential(rows), 'n', 2) }));
    const feeds = {
      ids: new Tensor('int32', ['r'], [2], Int32Array.of(0, 2)) as Tensor,
      rows: floats(['r', 'e'], [2, 2], [1, 2, 3, 4]),
    };
    await expect(program.run(feeds)).rejects.toMatchObject({ code: 'out-of-range' });
    await program.dispose();
  });

  test("an operator that the table does not know runs by its reference kernel, also under a known one's name", async () => {
    const twice = (called: string): PrimitiveOperator =>
      definePrimitive<Attributes>({
        name: called,
        infer: ([tensor]) => [tensor!],
        gradient: 'none',
        cost: () => ({ flops: 0, bytes: 0 }),
        onnx: () => [],
        reference: ([tensor]) => [{ ...tensor!, data: tensor!.data.map((value) => 2 * value) }],
        examples: [],
      });
    const doubled = [twice('acme.double'), twice('negate')].map((operator) => applyOne(operator, [w], {}));
    const program = await runtime.compile(graph([w], { a: doubled[0]!, b: doubled[1]! }));
    const { a, b } = program.runSync({ w: weights });
    expect(take(a)).toEqual([2, 4, 6, 8, 10, 12]);
    expect(take(b)).toEqual([2, 4, 6, 8, 10, 12]);
    await program.dispose();
  });

  test('constants are held once, runs may overlap, and the event loop turns while they go on', async () => {
    const size = 160;
    const start = input('start', 'float32', ['r', 'c'], [size, size]);
    const factor = constant(floats(['r', 'c'], [size, size], new Array<number>(size * size).fill(0.5)));
    let deep: Symbolic = start as Symbolic;
    for (let step = 0; step < 400; step++)
      deep = exponential(multiply(deep as never, factor as never) as never) as Symbolic;
    const program = await runtime.compile(graph([start as Symbolic], { y: deep }));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const fed = (value: number) => floats(['r', 'c'], [size, size], new Array<number>(size * size).fill(value));
    const [first, second] = await Promise.all([program.run({ start: fed(0) }), program.run({ start: fed(1) })]);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(0);
    const again = program.runSync({ start: fed(0) });
    expect(take(first['y'])).toEqual(take(again['y']));
    expect(take(second['y'])[0]).toBeGreaterThan(0);
    await program.dispose();
  });
});

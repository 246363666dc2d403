import {
  add,
  argmax,
  batchMatmul,
  cast,
  divide,
  equal,
  gather,
  graph,
  input,
  matmul,
  max,
  maximum,
  min,
  minimum,
  modulo,
  multiply,
  oneHot,
  relu,
  scatterAdd,
  sum,
  takeAlong,
  topK,
  uniform,
  where,
  evaluate,
  toReference,
  sign,
  type Symbolic,
} from '@user-llm/graph';
import { Tensor, type Axes, type DType, type TypedArrayOf } from '@user-llm/tensor';
import { beforeAll, expect, test } from 'vitest';
import { Program, TfjsRuntime } from '../src/index.js';
import { describeEngines } from './engines.js';

const floats = (axes: Axes, shape: number[], data: number[]): Tensor =>
  new Tensor('float32', axes, shape, Float32Array.from(data)) as Tensor;
const whole = (axes: Axes, shape: number[], data: number[]): Tensor =>
  new Tensor('int32', axes, shape, Int32Array.from(data)) as Tensor;

describeEngines('edges', (_, name) => {
  let runtime: TfjsRuntime;
  beforeAll(async () => {
    runtime = await TfjsRuntime.create({ engine: name });
  });

  /** Builds a graph of one output over inputs like the tensors, runs it, and returns the output's elements. */
  function compute(build: (...inputs: never[]) => Symbolic, ...tensors: Tensor[]): number[] {
    const inputs = tensors.map(
      ({ dtype, axes, shape }, at) => input(`x${at}`, dtype, axes, shape as never) as Symbolic,
    );
    const program = new Program(runtime.engine, graph(inputs, { y: build(...(inputs as never[])) }));
    try {
      const { y } = program.runSync(Object.fromEntries(tensors.map((tensor, at) => [`x${at}`, tensor])));
      const { data } = y!.readSync();
      y!.dispose();
      return Array.from(data as TypedArrayOf<DType> as Float32Array);
    } finally {
      void program.dispose();
    }
  }

  type Float = Symbolic<'float32', readonly ['a']>;
  type Whole = Symbolic<'int32', readonly ['a']>;

  test.each([-1, 3, 2147483647])('the index %d outside is an error, and the engine lives on', (index) => {
    const table = floats(['n', 'e'], [3, 2], [1, 2, 3, 4, 5, 6]);
    const ids = whole(['a'], [2], [0, index]);
    const before = runtime.engine.tf.memory().numTensors;
    const outOfRange = expect.objectContaining({ code: 'out-of-range' }) as Error;
    expect(() => compute((x, i) => gather(x, i), table, ids)).toThrow(outOfRange);
    const rows = floats(['a', 'e'], [2, 2], [1, 2, 3, 4]);
    expect(() => compute((i, x) => scatterAdd(i, x, 'n', 3), ids, rows)).toThrow(outOfRange);
    const beside = whole(['k', 'e'], [1, 2], [0, index]);
    expect(() => compute((x, i) => takeAlong(x, i, 'n'), table, beside)).toThrow(outOfRange);
    expect(runtime.engine.tf.memory().numTensors).toBe(before);
    expect(compute((x, i) => gather(x, i), table, whole(['a'], [2], [2, 0]))).toEqual([5, 6, 1, 2]);
  });

  test('of equal largest elements the first index wins', () => {
    const ties = floats(['r', 'a'], [2, 5], [1, 7, 7, 0, 7, 2, 2, 2, 2, 2]);
    expect(compute((x) => argmax(x), ties)).toEqual([1, 0]);
    expect(compute((x) => topK(x, 3, 'k').indices, ties)).toEqual([1, 2, 4, 0, 1, 2]);
  });

  test('NaN wins in extrema, whichever side it is on', () => {
    const x = floats(['a'], [4], [NaN, 1, 2, -1]);
    const y = floats(['a'], [4], [0, NaN, 3, -2]);
    expect(compute((a: Float, b: Float) => maximum(a, b), x, y)).toEqual([NaN, NaN, 3, -1]);
    expect(compute((a: Float, b: Float) => minimum(a, b), x, y)).toEqual([NaN, NaN, 2, -2]);
    expect(compute((a: Float) => max(a, 'a'), x)).toEqual([NaN]);
    expect(compute((a: Float) => min(a, 'a'), y)).toEqual([NaN]);
    expect(compute((a: Float) => relu(a), x)).toEqual([NaN, 1, 2, 0]);
    expect(compute((a: Float) => sign(a), x)).toEqual([NaN, 1, 1, -1]);
  });

  test('whole numbers: quotients are cut towards zero, exactly; remainders take the sign of the divisor', () => {
    const x = whole(['a'], [6], [7, -7, 7, -7, 2147483647, 16777217]);
    const y = whole(['a'], [6], [2, 2, -2, -2, 1, 1]);
    expect(compute((a: Whole, b: Whole) => divide(a, b), x, y)).toEqual([3, -3, -3, 3, 2147483647, 16777217]);
    expect(compute((a: Whole, b: Whole) => modulo(a, b), x, y)).toEqual([1, 1, -1, -1, 0, 0]);
    const zero = whole(['a'], [6], [1, 1, 1, 0, 1, 1]);
    expect(() => compute((a: Whole, b: Whole) => divide(a, b), x, zero)).toThrow(/0 at element 3/);
    expect(() => compute((a: Whole, b: Whole) => modulo(a, b), x, zero)).toThrow(/divisors other than 0/);
  });

  test('whole numbers wrap around at 32 bits', () => {
    const x = whole(['a'], [2], [2147483647, 123456789]);
    expect(compute((a: Whole) => add(a, 1), x)).toEqual([-2147483648, 123456790]);
    expect(compute((a: Whole) => multiply(a, a), x)).toEqual([1, Math.imul(123456789, 123456789)]);
  });

  test('conditions are chosen among, compared and cast', () => {
    const c = whole(['a'], [3], [1, 0, 1]);
    const x = floats(['a'], [3], [0.5, 0, NaN]);
    const choose = (a: Whole, b: Float) =>
      cast(where(cast(a, 'bool'), cast(b, 'bool'), equal(cast(a, 'bool'), cast(b, 'bool'))), 'int32');
    expect(compute(choose, c, x)).toEqual([1, 1, 1]);
    expect(compute((b: Float) => cast(cast(b, 'bool'), 'float32'), x)).toEqual([1, 0, 1]);
  });

  test('sums over nothing are zero', () => {
    const left = floats(['r', 'k'], [2, 0], []);
    const right = floats(['k', 'c'], [0, 3], []);
    expect(compute((a, b) => matmul(a, b), left, right)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(compute((a) => sum(a, 'k'), right)).toEqual([0, 0, 0]);
    expect(compute((a) => max(a, 'k'), right)).toEqual([-Infinity, -Infinity, -Infinity]);
  });

  test('one-hot rows of one class', () => {
    expect(compute((i: Whole) => oneHot(i, 'c', 1), whole(['a'], [3], [0, 1, -1]))).toEqual([1, 0, 0]);
  });

  test('large matrices of a batch are multiplied exactly', () => {
    const [batch, size] = [2, 130];
    const values = (salt: number) => Array.from({ length: batch * size * size }, (_, at) => ((at * salt) % 7) - 3);
    const x = values(3);
    const y = values(5);
    const want = Array.from({ length: batch * size }, (_, row) => {
      const block = Math.floor(row / size) * size * size;
      let total = 0;
      for (let at = 0; at < size * size; at++) total += x[row * size + Math.floor(at / size)]! * y[block + at]!;
      return total;
    });
    const rows = compute(
      (a, b) => sum(batchMatmul(a, b), 'c' as never),
      floats(['b', 'r', 'k'], [batch, size, size], x),
      floats(['b', 'k', 'c'], [batch, size, size], y),
    );
    expect(rows).toEqual(want);
  });

  test('random numbers are those of the reference, bit for bit', () => {
    const seed = input('seed', 'int32', [], []);
    const source = graph([seed], { y: uniform(seed, ['a', 'b'], [50, 40], 9) });
    const fed = new Tensor('int32', [], [], Int32Array.of(-123456789)) as Tensor;
    const program = new Program(runtime.engine, source);
    const { y } = program.runSync({ seed: fed });
    expect([...y!.readSync().data]).toEqual([...evaluate(source, { seed: toReference(fed) })['y']!.data]);
    y!.dispose();
    void program.dispose();
  });
});

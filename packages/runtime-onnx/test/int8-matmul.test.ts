import { apply, evaluate, graph, input, operators, symbol, toReference, type Symbolic } from '@user-llm/graph';
import { Random, Tensor } from '@user-llm/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OnnxRuntime } from '../src/index.js';

const [width, columns] = [64, 48];

const source = (() => {
  const x = input('x', 'float32', ['batch', 'token', 'width'], [1, symbol('token'), width]) as Symbolic;
  const codes = input('codes', 'int8', ['width', 'column'], [width, columns]) as Symbolic;
  const scales = input('scales', 'float32', ['column'], [columns]) as Symbolic;
  const [y] = apply(operators.int8Matmul, [x, codes, scales], { accuracy: 'int8' });
  return graph([x, codes, scales], { y: y! });
})();

const rows = (values: Float32Array): Tensor =>
  new Tensor('float32', ['batch', 'token', 'width'], [1, values.length / width, width], values) as Tensor;

/** Codes as far apart as they can be, of one sign in each column. */
const extremes = Int8Array.from({ length: width * columns }, (_, at) => (at % columns < columns / 2 ? 127 : -127));
const mixed = Int8Array.from({ length: width * columns }, (_, at) => ((at * 37) % 255) - 127);

describe('products of whole numbers', () => {
  let runtime: OnnxRuntime;
  beforeAll(async () => {
    runtime = await OnnxRuntime.create({ intraOpThreads: 1 });
  });
  afterAll(() => runtime.dispose());

  const normal = Random.fromSeed(3).normal(new Float32Array(5 * width));
  const spread = normal.map((value, at) => value * 10 ** (Math.floor(at / width) * 3 - 6));
  const outlier = normal.map((value, at) => (at % width === 7 ? 300 : value));

  it.each([
    ['ordinary rows', normal, mixed],
    ['rows of different size', spread, mixed],
    ['rows with an outlier', outlier, mixed],
    ['nothing but zeros', new Float32Array(2 * width), mixed],
    ['the largest sums that there are', new Float32Array(3 * width).fill(1), extremes],
    ['the smallest sums that there are', new Float32Array(3 * width).fill(-1), extremes],
  ])('are exact to a part in 15,000 of the largest number of each row: %s', async (_, values, codes) => {
    const x = rows(values as Float32Array);
    const frozen = {
      codes: new Tensor('int8', ['width', 'column'], [width, columns], codes) as Tensor,
      scales: new Tensor('float32', ['column'], [columns], new Float32Array(columns).fill(0.01)) as Tensor,
    };
    const program = await runtime.compile(source, frozen);
    const got = (await program.run({ x }))['y']!.readSync().data as Float32Array;
    const arrays = Object.entries({ x, ...frozen }).map(([name, tensor]) => [name, toReference(tensor)] as const);
    const wanted = evaluate(source, Object.fromEntries(arrays))['y']!.data;
    wanted.forEach((value, at) => {
      const row = Math.floor(at / columns);
      const largest = Math.max(...(values as Float32Array).slice(row * width, (row + 1) * width).map(Math.abs));
      // Each of 64 numbers may be off by a part in 15,000 of the largest; the codes are at most 1.27 in size.
      expect(Math.abs(got[at]! - value)).toBeLessThanOrEqual((width * 1.27 * largest) / 15_000);
    });
    await program.dispose();
  });

  it.each([NaN, Infinity, -Infinity])('hide no %d, wherever it is in a row', async (wrong) => {
    const frozen = {
      codes: new Tensor('int8', ['width', 'column'], [width, columns], mixed) as Tensor,
      scales: new Tensor('float32', ['column'], [columns], new Float32Array(columns).fill(0.01)) as Tensor,
    };
    const program = await runtime.compile(source, frozen);
    for (let place = 0; place < width; place++) {
      const values = normal.slice();
      values[2 * width + place] = wrong;
      const got = (await program.run({ x: rows(values) }))['y']!.readSync().data as Float32Array;
      got.forEach((value, at) => {
        expect(Number.isFinite(value)).toBe(Math.floor(at / columns) !== 2);
      });
    }
    await program.dispose();
  });

  it('do not depend on the other rows', async () => {
    const frozen = {
      codes: new Tensor('int8', ['width', 'column'], [width, columns], mixed) as Tensor,
      scales: new Tensor('float32', ['column'], [columns], new Float32Array(columns).fill(0.01)) as Tensor,
    };
    const program = await runtime.compile(source, frozen);
    const read = async (values: Float32Array) => (await program.run({ x: rows(values) }))['y']!.readSync().data;
    const together = (await read(spread)) as Float32Array;
    const alone = await read(spread.slice(width, 2 * width));
    expect(alone).toEqual(together.slice(columns, 2 * columns));
    await program.dispose();
  });
});

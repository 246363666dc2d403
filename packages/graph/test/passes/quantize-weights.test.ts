import { describe, expect, it } from 'vitest';
import {
  embed,
  evaluate,
  graph,
  input,
  inputName,
  linearCrossEntropy,
  matmul,
  matmulTransposed,
  multipliedInputs,
  multiply,
  orderedNodes,
  print,
  quantizeWeights,
  symbol,
  type Float,
  type QuantizedInput,
  type ReferenceArray,
  type Symbolic,
} from '../../src/index.js';
import type { Id } from '@user-llm/tensor';

const code = (wanted: string): unknown => expect.objectContaining({ code: wanted });
const [rows, width] = [6, 64];
const table = input('table', 'float32', ['word', 'width'], [rows, width]);
const x = input('x', 'float32', ['row', 'width'], [2, width]);
const ids = input('ids', 'int32', ['row'], [3]);

const numbers = (shape: readonly number[], value: (at: number) => number): ReferenceArray => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => value(at)),
});

/** Feeds of a quantized table, and the table in real numbers. */
function quantized({ bits, block, offsets }: QuantizedInput) {
  const blocks = width / block;
  const bytes = (block * bits) / 8;
  const codes = { ...numbers([rows, blocks, bytes], (at) => (at * 37) % 256), dtype: 'uint8' as const };
  const scales = numbers([rows, blocks], (at) => 0.01 * (at - 3));
  const shifts = numbers([rows, blocks], (at) => 0.1 * at);
  const real = numbers([rows, width], (at) => {
    const own = Math.floor(at / block);
    const byte = codes.data[bits === 8 ? at : Math.floor(at / 2)]!;
    const value = bits === 8 ? byte - 128 : (at % 2 === 0 ? byte % 16 : Math.floor(byte / 16)) - 8;
    return scales.data[own]! * value + (offsets ? shifts.data[own]! : 0);
  });
  const parts = { 'table.codes': codes, 'table.scales': scales, ...(offsets && { 'table.offsets': shifts }) };
  return { parts, real };
}

const formats: readonly QuantizedInput[] = [
  { bits: 4, block: 32, offsets: false, accuracy: 'float32' },
  { bits: 4, block: 32, offsets: true, accuracy: 'float32' },
  { bits: 8, block: 16, offsets: true, accuracy: 'float32' },
  { bits: 8, block: 32, offsets: false, accuracy: 'int8' },
];

const uses: Readonly<Record<string, { readonly y: Symbolic; readonly feeds: Record<string, ReferenceArray> }>> = {
  'a product': { y: matmulTransposed(x, table), feeds: { x: numbers([2, width], (at) => Math.sin(at)) } },
  'rows that are looked up': {
    y: embed(table, ids as unknown as Symbolic<Id<'word'>, readonly ['row']>),
    feeds: { ids: { ...numbers([3], (at) => 2 * at), dtype: 'int32' } },
  },
  'a product that sums over the other axis': {
    y: matmul(input('z', 'float32', ['row', 'word'], [2, rows]), table),
    feeds: { z: numbers([2, rows], (at) => Math.cos(at)) },
  },
  'a loss': {
    y: linearCrossEntropy<readonly ['row'], 'width', 'word'>(
      x,
      table,
      input('labels', 'int32', ['row'], [2]) as never,
      {},
    ) as Symbolic,
    feeds: {
      x: numbers([2, width], (at) => Math.sin(at)),
      labels: { ...numbers([2], (at) => at + 1), dtype: 'int32' },
    },
  },
  'an output': { y: table, feeds: {} },
  'another matrix beside it': { y: multiply(table, table as Float<never>), feeds: {} },
};

describe.each(Object.entries(uses))('a quantized matrix in %s', (_, { y, feeds }) => {
  it.each(formats)('means its real numbers: %o', (format) => {
    const source = graph(inputsOf(y), { y });
    const { parts, real } = quantized(format);
    const wanted = evaluate(source, { ...feeds, table: real })['y']!;
    const got = evaluate(quantizeWeights(source, { table: format }), { ...feeds, ...parts })['y']!;
    expect(got.shape).toEqual(wanted.shape);
    got.data.forEach((value, at) => {
      expect(value).toBeCloseTo(wanted.data[at]!, 6);
    });
  });
});

/** The inputs that a tensor needs. */
function inputsOf(y: Symbolic): Symbolic[] {
  return orderedNodes([y]).flatMap(({ outputs: [tensor] }) => (inputName(tensor!) === undefined ? [] : [tensor!]));
}

describe('quantizeWeights', () => {
  const product = graph([x, table], { y: matmulTransposed(x, table) });
  const format = formats[0]!;

  it('multiplies by the codes', () => {
    expect(print(quantizeWeights(product, { table: format }))).toContain('quantizedMatmul');
  });

  it('multiplies many rows by a second form of the matrix, in 8 bits with a scale for each output', () => {
    const hidden = input('hidden', 'float32', ['token', 'width'], [symbol('token'), width]);
    const source = graph([x, hidden, table], {
      few: matmulTransposed(x, table),
      many: matmulTransposed(hidden, table),
    });
    const bound = quantizeWeights(source, { table: format }, (count) => typeof count !== 'number');
    const { parts, real } = quantized(format);
    const int8 = { ...numbers([width, rows], (at) => ((at * 29) % 255) - 127), dtype: 'int8' as const };
    const int8Scales = numbers([rows], (at) => 0.02 * (at + 1));
    const columns = numbers([rows, width], (at) => {
      const [row, column] = [Math.floor(at / width), at % width];
      return int8Scales.data[row]! * int8.data[column * rows + row]!;
    });
    const feeds = {
      x: numbers([2, width], (at) => Math.sin(at)),
      hidden: numbers([3, width], (at) => Math.cos(at)),
    };
    const got = evaluate(bound, { ...feeds, ...parts, 'table.int8': int8, 'table.int8Scales': int8Scales });
    const wanted = { few: { table: real }, many: { table: columns } };
    for (const [name, matrix] of Object.entries(wanted)) {
      const { data } = evaluate(source, { ...feeds, ...matrix })[name]!;
      got[name]!.data.forEach((value, at) => expect(value).toBeCloseTo(data[at]!, 6));
    }
    expect(Object.keys(quantizeWeights(source, { table: format }).inputs)).not.toContain('table.int8');
  });

  it('wants matrices of whole blocks that the graph has', () => {
    expect(() => quantizeWeights(product, { other: format })).toThrow(code('unknown-feed'));
    const narrow = input('narrow', 'float32', ['word', 'width'], [4, 40]);
    expect(() => quantizeWeights(graph([narrow], { narrow }), { narrow: format })).toThrow(code('shape-mismatch'));
  });

  it('is for what products sum over the last axis of', () => {
    const other = matmul(input('z', 'float32', ['row', 'word'], [2, rows]), table);
    expect([...multipliedInputs(product)]).toEqual(['table']);
    expect([...multipliedInputs(graph(inputsOf(other), { other }))]).toEqual([]);
  });
});

import { Tensor } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import {
  add,
  cast,
  constant,
  divide,
  embed,
  foldConstants,
  graph,
  input,
  lessEqual,
  multiply,
  print,
  range,
  reshape,
  symbol,
  type Symbolic,
} from '../../src/index.js';
import { expectEqualGraphs } from '../support/evaluate-equal.js';

const x = input('x', 'float32', ['row'], [3]);
const names = (y: Symbolic): string[] =>
  foldConstants(graph([x], { y })).nodes.flatMap(({ operator }) => (operator.name === 'input' ? [] : [operator.name]));

describe('foldConstants', () => {
  it('computes masks of places once', () => {
    const query = reshape(range('query', 3), ['query', 'key'], [3, 1]);
    const before = graph([], { mask: lessEqual(range('key', 3), query) });
    const folded = foldConstants(before);
    expectEqualGraphs(before, folded);
    expect(print(folded)).toMatchInlineSnapshot(`
      "%0 = constant {value=[1, 0, 0, 1, 1, 0, 1, 1, ...]} : bool[query=3, key=3]
      return mask=%0"
    `);
  });

  it('rounds to the dtype', () => {
    const third = divide(constant(new Tensor('float32', [], [], Float32Array.of(1))), 3);
    const { y } = foldConstants(graph([], { y: third })).outputs;
    expect(y!.node.attributes).toMatchObject({ value: { dtype: 'float32', data: Float32Array.of(1 / 3) } });
  });

  it('wraps whole numbers around', () => {
    const most = constant(new Tensor('int32', [], [], Int32Array.of(2 ** 31 - 1)));
    const { y } = foldConstants(graph([], { y: add(most, 1) })).outputs;
    expect(y!.node.attributes).toMatchObject({ value: { dtype: 'int32', data: Int32Array.of(-(2 ** 31)) } });
  });

  it('leaves what is fed, what is large and what is symbolic', () => {
    expect(names(multiply(x, 2))).toEqual(['constant', 'multiply']);
    const large = constant(new Tensor('float32', ['row'], [20_000]));
    expect(names(add(large, 1))).toEqual(['constant', 'constant', 'add']);
    expect(names(range('row', 20_000))).toEqual(['range']);
    const batch = input('b', 'float32', ['row'], [symbol('n')]);
    const counted = foldConstants(graph([batch], { y: add(range('row', symbol('n')), 1) }));
    expect(counted.nodes.map(({ operator }) => operator.name)).toEqual(['input', 'range', 'constant', 'add']);
  });

  it('leaves what fails, so that it fails when the graph runs', () => {
    const table = constant(new Tensor('float32', ['item', 'width'], [2, 2]));
    const ids = constant(new Tensor('int32', ['row'], [1], Int32Array.of(5)));
    expect(names(embed(table, ids as never))).toContain('gather');
    const most = constant(new Tensor('int32', [], [], Int32Array.of(2 ** 31 - 1)));
    expect(names(divide(most, 0))).toContain('divide');
    expect(names(cast(divide(cast(most, 'float32'), 0), 'int32'))).toContain('cast');
  });
});

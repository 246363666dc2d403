import { evaluate, graph, initializeParameters, input, parameterInputs, toReference } from '@user-llm/graph';
import { Random } from '@user-llm/tensor';
import { describe, expect, it } from 'vitest';
import { normalInitialization, transformer, type Activation } from '../src/index.js';

const [batch, time, width] = [2, 5, 8];

function stack(causal: boolean, activation: Activation = 'gelu', rotaryBase?: number) {
  const model = transformer({
    width: { axis: 'userWidth', size: width },
    layers: 2,
    heads: 2,
    feedForward: 12,
    activation,
    causal,
    ...(rotaryBase !== undefined && { rotaryBase }),
    epsilon: 1e-5,
    initialization: normalInitialization(0.5),
    dropout: 0,
  });
  const x = input('x', 'float32', ['batch', 'event', 'userWidth'], [batch, time, width]);
  const { tree, named } = parameterInputs(model.parameters);
  const mask = input('mask', 'bool', ['batch', 'event'], [batch, time]);
  const values = Object.fromEntries(
    Object.entries(initializeParameters(model.parameters, Random.fromSeed(3))).map(([name, value]) => [
      name,
      toReference(value),
    ]),
  );
  const program = graph([x, mask, ...Object.values(named)], {
    plain: model.apply(tree, x),
    masked: model.apply(tree, x, { mask }),
  });
  return (data: Float64Array, may: readonly number[]) =>
    evaluate(program, {
      ...values,
      x: { dtype: 'float32', shape: [batch, time, width], data },
      mask: { dtype: 'bool', shape: [batch, time], data: Float64Array.from(may) },
    });
}

const drawn = (): Float64Array => {
  const data = new Float64Array(batch * time * width);
  Random.fromSeed(8).normal(data);
  return data;
};
const rows = (data: ArrayLike<number>, row: number, from: number, to: number): number[] =>
  Array.from(data).slice((row * time + from) * width, (row * time + to) * width);
const all = Array<number>(batch * time).fill(1);

describe('a causal Transformer', () => {
  it.each([
    ['gelu', undefined],
    ['relu', 10_000],
    ['swiglu', 100],
  ] as const)('never looks ahead (%s, rotary base %s)', (activation, rotaryBase) => {
    const run = stack(true, activation, rotaryBase);
    const before = run(drawn(), all)['plain']!.data;
    for (let at = 0; at < time; at++) {
      const changed = drawn();
      changed[at * width] = 5;
      const after = run(changed, all)['plain']!.data;
      expect(rows(after, 0, 0, at)).toEqual(rows(before, 0, 0, at));
      expect(rows(after, 0, at, at + 1)).not.toEqual(rows(before, 0, at, at + 1));
      expect(rows(after, 1, 0, time)).toEqual(rows(before, 1, 0, time));
    }
  });
});

describe('a Transformer that looks both ways', () => {
  const may = [1, 1, 1, 0, 0, 1, 1, 1, 1, 1];

  it('reads nothing where the mask is false', () => {
    const run = stack(false);
    const changed = drawn();
    for (let at = 3 * width; at < 5 * width; at++) changed[at]! += 4;
    expect(rows(run(changed, may)['masked']!.data, 0, 0, 3)).toEqual(rows(run(drawn(), may)['masked']!.data, 0, 0, 3));
    expect(rows(run(changed, may)['plain']!.data, 0, 0, 3)).not.toEqual(
      rows(run(drawn(), may)['plain']!.data, 0, 0, 3),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { readModel, writeModel, type Model } from '../src/onnx-model.js';

const model = (initializers: Model['initializers']): Model => ({
  name: 'sum',
  inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 2] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: ['batch', 2] }],
  initializers: initializers ?? [],
  nodes: [{ op: 'Add', inputs: ['x', 'b'], outputs: ['y'], name: 'add' }],
});

describe('writeModel', () => {
  it('writes sizes and their names, initializers, operator sets', () => {
    const file = readModel(
      writeModel(model([{ name: 'b', dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) }])),
    );
    expect(file.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
      ['', 18n],
      ['com.microsoft', 1n],
    ]);
    const { input, initializer, node } = file.graph!;
    const type = input[0]!.type!.value;
    expect(type.case === 'tensorType' && type.value.shape?.dim.map(({ value }) => value.value)).toEqual(['batch', 2n]);
    expect([...new Float32Array(initializer[0]!.rawData.slice().buffer)]).toEqual([1, 2]);
    expect(node[0]).toMatchObject({ opType: 'Add', name: 'add', input: ['x', 'b'], output: ['y'] });
  });

  it('writes every kind of attribute', () => {
    const attributes = {
      float: 0.5,
      int: 3n,
      text: 'add',
      floats: [1, 2],
      ints: [1n, 2n],
      texts: ['a', 'b'],
      tensor: { dtype: 'int64', shape: [1], data: BigInt64Array.of(9n) },
    } as const;
    const nodes = [{ op: 'Some', inputs: ['x'], outputs: ['y'], attributes, domain: 'own' }];
    const written = readModel(writeModel({ ...model([]), nodes })).graph!.node[0]!;
    expect(written.domain).toBe('own');
    const byName = Object.fromEntries(written.attribute.map((attribute) => [attribute.name, attribute]));
    expect(byName['float']?.f).toBe(0.5);
    expect(byName['int']?.i).toBe(3n);
    expect(new TextDecoder().decode(byName['text']?.s)).toBe('add');
    expect(byName['floats']?.floats).toEqual([1, 2]);
    expect(byName['ints']?.ints).toEqual([1n, 2n]);
    expect(byName['texts']?.strings.map((text) => new TextDecoder().decode(text))).toEqual(['a', 'b']);
    expect(byName['tensor']?.t?.dims).toEqual([1n]);
  });

  it('refers to data that lies in other files or in memory', () => {
    const file = readModel(
      writeModel(
        model([
          { name: 'b', dtype: 'float32', shape: [2], data: { location: 'weights.bin', offset: 64 } },
          { name: 'c', dtype: 'float16', shape: [3], data: 'memory' },
        ]),
      ),
    );
    const external = file.graph!.initializer.map(({ externalData }) =>
      Object.fromEntries(externalData.map(({ key, value }) => [key, value])),
    );
    expect(external).toEqual([
      { location: 'weights.bin', offset: '64', length: '8' },
      { location: 'c', offset: '0', length: '6' },
    ]);
  });

  it('refuses data of the wrong length, and more than protobuf can hold', () => {
    const wrong = { name: 'b', dtype: 'float32', shape: [2], data: new Float32Array(3) } as const;
    expect(() => writeModel(model([wrong]))).toThrow(expect.objectContaining({ code: 'bad-shape' }) as Error);
    // The same 32 MiB 64 times are 2 GiB in the file.
    const data = new Float32Array(2 ** 23);
    const many = Array.from(
      { length: 64 },
      (_, index) => ({ name: `w${index}`, dtype: 'float32', shape: [2 ** 23], data }) as const,
    );
    expect(() => writeModel(model(many))).toThrow(expect.objectContaining({ code: 'model-too-large' }) as Error);
  });
});

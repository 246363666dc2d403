import type { OnnxAttribute, OnnxDType, OnnxEmitter, OnnxNodeOptions, Size, Symbolic } from '@user-llm/graph';
import { allocate, elements, UserLlmError, type TypedArray } from '@user-llm/tensor';
import type { Attribute, ModelInitializer, ModelNode } from '../onnx-model.js';

/** Constants up to this many bytes are looked up by content, so that equal ones share one initializer. */
const sharedBytes = 4096;

/** Collects the nodes and initializers of an ONNX model. */
export class ModelEmitter implements OnnxEmitter {
  readonly nodes: ModelNode[] = [];
  readonly initializers: ModelInitializer[] = [];
  readonly #constants = new Map<string, string>();
  readonly #sizes = new Map<string, string>();
  /** For each named size, an input and the axis that has it. */
  readonly #sources = new Map<string, { readonly input: string; readonly axis: number }>();
  #count = 0;

  /** @param inputs Inputs of the graph by name; they bind the symbolic sizes. */
  constructor(inputs: Readonly<Record<string, Symbolic>>) {
    for (const [input, { shape }] of Object.entries(inputs)) {
      shape.forEach((size, axis) => {
        if (typeof size !== 'number' && !this.#sources.has(size.text)) this.#sources.set(size.text, { input, axis });
      });
    }
  }

  emit(
    type: string,
    inputs: readonly (string | undefined)[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    { domain = '', outputs = 1 }: OnnxNodeOptions = {},
  ): readonly string[] {
    const wanted = typeof outputs === 'number' ? Array<boolean>(outputs).fill(true) : outputs;
    const number = this.#count++;
    const names = wanted.map((made, at) => (made ? `${type}_${number}_${at}` : ''));
    this.nodes.push({
      op: type,
      inputs: inputs.map((name) => name ?? ''),
      outputs: names,
      domain,
      name: `${type}_${number}`,
      attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, toAttribute(value)])),
    });
    return names;
  }

  constant(dtype: OnnxDType, shape: readonly number[], values: readonly number[] | TypedArray | Uint32Array): string {
    const data = Array.isArray(values)
      ? fromNumbers(dtype, values as readonly number[])
      : (values as TypedArray | Uint32Array);
    if (data.length !== elements(shape)) {
      throw new UserLlmError('bad-shape', {
        what: 'constant',
        expected: `${elements(shape)} elements for [${shape.join(', ')}]`,
        got: `${data.length}`,
      });
    }
    const key =
      data.byteLength <= sharedBytes
        ? `${dtype}[${shape.join()}]${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64')}`
        : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const name = `constant_${this.initializers.length}`;
    this.initializers.push({ name, dtype, shape, data });
    if (key !== undefined) this.#constants.set(key, name);
    return name;
  }

  sizes(sizes: readonly Size[]): string {
    if (sizes.every((size) => typeof size === 'number')) return this.constant('int64', [sizes.length], sizes);
    const parts = sizes.map((size) => this.#size(size));
    return parts.length === 1 ? parts[0]! : this.emit('Concat', parts, { axis: { int: 0 } })[0]!;
  }

  /** A size as a 1-D int64 tensor of one element. */
  #size(size: Size): string {
    if (typeof size === 'number') return this.constant('int64', [1], [size]);
    const known = this.#sizes.get(size.text);
    if (known !== undefined) return known;
    const source = this.#sources.get(size.text);
    const name = source
      ? this.emit('Shape', [source.input], { start: { int: source.axis }, end: { int: source.axis + 1 } })[0]!
      : this.#polynomial(size);
    this.#sizes.set(size.text, name);
    return name;
  }

  #polynomial(size: Exclude<Size, number>): string {
    const terms = [...size.terms].map(([factors, coefficient]) => {
      const names = factors === '' ? [] : factors.split('*').map((name) => this.#named(name, size));
      if (coefficient !== 1 || names.length === 0) names.unshift(this.constant('int64', [1], [coefficient]));
      return names.reduce((product, name) => this.emit('Mul', [product, name])[0]!);
    });
    return terms.reduce((sum, term) => this.emit('Add', [sum, term])[0]!);
  }

  #named(name: string, size: Exclude<Size, number>): string {
    const known = this.#sizes.get(name);
    if (known !== undefined) return known;
    const source = this.#sources.get(name);
    if (!source) {
      throw new UserLlmError('unbound-size', {
        what: `size ${size.text}`,
        expected: `an input with an axis of size ${name}`,
        got: [...this.#sources.keys()].join(', ') || 'none',
        mend: 'Let an input of the graph have an axis of exactly that size.',
      });
    }
    const shape = this.emit('Shape', [source.input], {
      start: { int: source.axis },
      end: { int: source.axis + 1 },
    })[0]!;
    this.#sizes.set(name, shape);
    return shape;
  }
}

function fromNumbers(dtype: OnnxDType, values: readonly number[]): TypedArray | Uint32Array {
  if (dtype === 'uint32') return Uint32Array.from(values);
  const data = allocate(dtype, values.length) as TypedArray;
  if (data instanceof BigInt64Array) values.forEach((value, at) => (data[at] = BigInt(value)));
  else values.forEach((value, at) => (data[at] = value));
  return data;
}

function toAttribute(value: OnnxAttribute): Attribute {
  if ('int' in value) return BigInt(value.int);
  if ('ints' in value) return value.ints.map(BigInt);
  if ('float' in value) return value.float;
  if ('floats' in value) return value.floats;
  if ('string' in value) return value.string;
  return value.tensor;
}

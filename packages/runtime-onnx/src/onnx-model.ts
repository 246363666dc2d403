import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { UserLlmError, bytesPerElement, elements, type TypedArray } from '@user-llm/tensor';
import {
  AttributeProto_AttributeType,
  ModelProtoSchema,
  TensorProto_DataLocation,
  type AttributeProtoSchema,
  type ModelProto,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from 'onnx-buf';
import { elementTypeOf, type ModelDType } from './element-type.js';

/** The operator set of ONNX that models use where none of their operators came later. */
const usualOpset = 18;

/** Operators that came later, with the operator set that has them. */
const laterOperators: Readonly<Record<string, number>> = { RotaryEmbedding: 23 };

/** The first operator set of each IR version that goes with one; runtimes refuse a newer version than they know. */
const irVersions = [
  [23, 11n],
  [21, 10n],
  [19, 9n],
  [18, 8n],
] as const;

/** A size, or the name of a size that is known only when the model runs, such as `batch`. */
export type Dimension = number | string;

/** The name, dtype and shape of a model's input, output or inner value. */
export interface ModelValue {
  readonly name: string;
  readonly dtype: ModelDType;
  readonly shape: readonly Dimension[];
}

/** Where the bytes of an external initializer lie. */
export interface ExternalLocation {
  /** A path relative to the model file. */
  readonly location: string;
  /** Byte at which the tensor starts in that file; 0 when absent. */
  readonly offset?: number;
}

/**
 * A constant tensor of a model. Its elements are inside the file, in another file, or (`memory`) not in any: then
 * the session is made with `SharedWeights` that have a tensor of this name.
 */
export interface ModelInitializer {
  readonly name: string;
  readonly dtype: ModelDType;
  readonly shape: readonly number[];
  /** The elements, row-major, or where they are to be found. */
  readonly data: TypedArray | Uint32Array | ExternalLocation | 'memory';
}

/** A constant tensor as a node's attribute. */
export interface AttributeTensor {
  readonly dtype: ModelDType;
  readonly shape: readonly number[];
  readonly data: TypedArray | Uint32Array;
}

/** What a node's attribute can hold; `bigint` and `bigint[]` are ONNX integers, `number` and `number[]` floats. */
export type Attribute =
  number | bigint | string | readonly number[] | readonly bigint[] | readonly string[] | AttributeTensor;

/** One operator of a model with the names of what it reads and makes; an empty name leaves an optional one out. */
export interface ModelNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** The operator set: standard ONNX when absent, else for example `com.microsoft`. */
  readonly domain?: string;
  /** A name that profiles and errors show. */
  readonly name?: string;
}

/** A whole model. Nodes are in an order in which each reads only what those before it made. */
export interface Model {
  readonly name: string;
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly initializers?: readonly ModelInitializer[];
  readonly nodes: readonly ModelNode[];
  /** Shapes of inner values, for those that inference by the runtime would not find. */
  readonly values?: readonly ModelValue[];
  /** Free text by key, kept in the file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * The bytes of an ONNX file with this model.
 *
 * @throws UserLlmError `bad-shape` when an initializer's data does not have its shape's length, and `model-too-large`
 * when the data inside the file would pass protobuf's limit of 2 GiB.
 */
export function writeModel(model: Model): Uint8Array {
  const inside = (model.initializers ?? []).reduce(
    (bytes, { data }) => bytes + (isArray(data) ? data.byteLength : 0),
    0,
  );
  if (inside >= 2 ** 31) {
    throw new UserLlmError('model-too-large', {
      what: `model ${model.name}`,
      expected: 'less than 2147483648 bytes of initializers inside the file',
      got: `${inside}`,
      mend: 'Give large initializers as external data.',
    });
  }
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, modelMessage(model)));
}

/**
 * The ONNX file's message, to look into a model in tests and tools.
 *
 * @throws Error of protobuf when the bytes are not an ONNX model.
 */
export function readModel(bytes: Uint8Array): ModelProto {
  return fromBinary(ModelProtoSchema, bytes);
}

function modelMessage(model: Model): MessageInitShape<typeof ModelProtoSchema> {
  const opset = Math.max(usualOpset, ...model.nodes.map(opsetOf));
  return {
    irVersion: irVersions.find(([first]) => opset >= first)![1],
    producerName: 'user-llm',
    opsetImport: [
      { domain: '', version: BigInt(opset) },
      { domain: 'com.microsoft', version: 1n },
    ],
    metadataProps: Object.entries(model.metadata ?? {}).map(([key, value]) => ({ key, value })),
    graph: {
      name: model.name,
      input: model.inputs.map(valueMessage),
      output: model.outputs.map(valueMessage),
      valueInfo: (model.values ?? []).map(valueMessage),
      initializer: (model.initializers ?? []).map(initializerMessage),
      node: model.nodes.map(nodeMessage),
    },
  };
}

/** The oldest operator set of ONNX, of those that models use, which has an operator. */
function opsetOf({ op, domain = '' }: ModelNode): number {
  return (domain === '' && laterOperators[op]) || usualOpset;
}

function valueMessage({ name, dtype, shape }: ModelValue): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = shape.map((size) =>
    typeof size === 'number'
      ? { value: { case: 'dimValue' as const, value: BigInt(size) } }
      : { value: { case: 'dimParam' as const, value: size } },
  );
  return {
    name,
    type: { value: { case: 'tensorType', value: { elemType: elementTypeOf(dtype), shape: { dim } } } },
  };
}

function initializerMessage(initializer: ModelInitializer): MessageInitShape<typeof TensorProtoSchema> {
  const { name, dtype, shape, data } = initializer;
  if (isArray(data)) return { name, ...tensorMessage(name, { dtype, shape, data }) };
  const length = elements(shape) * modelBytesPerElement(dtype);
  const { location, offset = 0 } = data === 'memory' ? { location: name } : data;
  const external = { location, offset: `${offset}`, length: `${length}` };
  return {
    name,
    dims: shape.map(BigInt),
    dataType: elementTypeOf(dtype),
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(external).map(([key, value]) => ({ key, value })),
  };
}

function tensorMessage(
  name: string,
  { dtype, shape, data }: AttributeTensor,
): MessageInitShape<typeof TensorProtoSchema> {
  const bytes = elements(shape) * modelBytesPerElement(dtype);
  if (data.byteLength !== bytes) {
    throw new UserLlmError('bad-shape', {
      what: `constant ${name}`,
      expected: `${bytes} bytes for ${dtype} [${shape.join(', ')}]`,
      got: `${data.byteLength}`,
    });
  }
  // Protobuf messages hold plain ArrayBuffers; shared memory is copied into one.
  const rawData =
    data.buffer instanceof ArrayBuffer
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return { dims: shape.map(BigInt), dataType: elementTypeOf(dtype), rawData };
}

function nodeMessage({
  op,
  inputs,
  outputs,
  attributes,
  domain,
  name,
}: ModelNode): MessageInitShape<typeof NodeProtoSchema> {
  return {
    opType: op,
    input: [...inputs],
    output: [...outputs],
    name: name ?? '',
    domain: domain ?? '',
    attribute: Object.entries(attributes ?? {}).map(([key, value]) => attributeMessage(key, value)),
  };
}

function attributeMessage(name: string, value: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  const type = AttributeProto_AttributeType;
  if (typeof value === 'bigint') return { name, type: type.INT, i: value };
  if (typeof value === 'number') return { name, type: type.FLOAT, f: value };
  if (typeof value === 'string') return { name, type: type.STRING, s: encode(value) };
  if (isTensor(value)) return { name, type: type.TENSOR, t: tensorMessage(name, value) };
  if (value.every((item) => typeof item === 'bigint')) return { name, type: type.INTS, ints: [...value] };
  if (value.every((item) => typeof item === 'number')) return { name, type: type.FLOATS, floats: [...value] };
  return { name, type: type.STRINGS, strings: value.map((item) => encode(String(item))) };
}

function modelBytesPerElement(dtype: ModelDType): number {
  return dtype === 'uint32' ? 4 : bytesPerElement(dtype);
}

function isTensor(value: Attribute): value is AttributeTensor {
  return typeof value === 'object' && 'dtype' in value;
}

function isArray(data: ModelInitializer['data']): data is TypedArray | Uint32Array {
  return ArrayBuffer.isView(data);
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}

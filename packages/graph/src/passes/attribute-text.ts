import { Tensor } from '@user-llm/tensor';
import { SymbolicSize } from '../size.js';

/** Constants of up to this many elements are told apart by what they hold, larger ones by which object they are. */
const comparedElements = 256;

const identities = new WeakMap<object, number>();
let identified = 0;

/** A number that stands for an object, the same one every time. */
export function identityOf(object: object): number {
  const known = identities.get(object);
  if (known !== undefined) return known;
  identities.set(object, ++identified);
  return identified;
}

/**
 * Text of attributes, equal exactly where they are: -0 is not 0, NaN is NaN, and the order of keys does not matter.
 */
export function attributeText(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : `${value}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return `function ${identityOf(value)}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof SymbolicSize) return `size ${value.text}`;
  if (value instanceof Tensor) return tensorText(value as Tensor);
  if (Array.isArray(value)) return `[${value.map(attributeText).join()}]`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `object ${identityOf(value)}`;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, part]) => `${JSON.stringify(key)}:${attributeText(part)}`).join()}}`;
}

function tensorText(tensor: Tensor): string {
  if (tensor.size > comparedElements) return `tensor ${identityOf(tensor)}`;
  const elements = Array.from(tensor.contiguous().data as ArrayLike<number | bigint>, attributeText);
  return `${tensor.dtype}[${tensor.axes.map((axis) => JSON.stringify(axis)).join()}][${tensor.shape.join()}](${elements.join()})`;
}

import { Tensor } from '@user-llm/tensor';
import type { Graph } from './graph.js';
import { typeText } from './inference.js';
import { SymbolicSize } from './size.js';
import type { Node, Symbolic } from './symbolic.js';

/** Constants of more elements are printed as their first ones. */
const printedElements = 8;

/**
 * A graph as text, one line per node, for snapshots and for reading. Tensors are numbered in the order of the graph,
 * so that equal graphs give equal text.
 *
 * @example
 * %0 = input {name="x"} : float32[batch=2, width=3]
 * %1 = input {name="w"} : float32[width=3, out=4]
 * %2 = matmul(%0, %1) {scale=1} : float32[batch=2, out=4]
 * return y=%2
 */
export function print(graph: Graph): string {
  const numbers = new Map<Symbolic, number>();
  const numberOf = (tensor: Symbolic): string => `%${numbers.get(tensor)}`;
  const lines = graph.nodes.map((node) => {
    node.outputs.forEach((output) => numbers.set(output, numbers.size));
    const inputs = node.inputs.length > 0 ? `(${node.inputs.map(numberOf).join(', ')})` : '';
    const types = node.outputs.map(typeText).join(', ');
    return `${node.outputs.map(numberOf).join(', ')} = ${node.operator.name}${inputs}${attributesText(node)} : ${types}`;
  });
  const outputs = Object.entries(graph.outputs).map(([name, tensor]) => `${name}=${numberOf(tensor)}`);
  return [...lines, `return ${outputs.join(', ')}`].join('\n');
}

/** Attributes in braces: true conditions by their names, false ones and what the type says already left out. */
function attributesText({ attributes, outputs: [output] }: Node): string {
  const parts = Object.entries(attributes as Readonly<Record<string, unknown>>).flatMap(([name, value]) => {
    if (value === false || value === undefined) return [];
    if (value === true) return [name];
    const text = valueText(value);
    const typed = output && ['dtype', 'axes', 'shape'].includes(name);
    if (typed && text === valueText(output[name as 'dtype' | 'axes' | 'shape'])) return [];
    return [`${name}=${text}`];
  });
  return parts.length > 0 ? ` {${parts.join(', ')}}` : '';
}

function valueText(value: unknown): string {
  if (value instanceof Tensor) {
    const data = Array.from((value as Tensor).contiguous().data.subarray(0, printedElements) as ArrayLike<unknown>);
    return `[${data.map(valueText).join(', ')}${value.size > printedElements ? ', ...' : ''}]`;
  }
  if (value instanceof SymbolicSize) return value.text;
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : `${value}`;
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part)) ?? String(value);
}

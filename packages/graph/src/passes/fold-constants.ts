import { elements, Tensor, UserLlmError } from '@user-llm/tensor';
import { toReference } from '../evaluate.js';
import type { Graph } from '../graph.js';
import type { ReferenceArray } from '../operator.js';
import { broadcastToOperator } from '../operators/broadcast.js';
import { constant, constantOperator } from '../operators/input.js';
import { rewrite } from '../rewrite.js';
import { evaluateSize } from '../size.js';
import type { Node, Symbolic } from '../symbolic.js';
import { madeBy } from './pattern.js';

/** No tensor of more elements is read or made, so that folding is quick and graphs stay small. */
const largestFolded = 16_384;
/** Folding a product of matrices or the like stops at this many operations. */
const mostOperations = 10_000_000;

const noSizes = new Map<string, number>();

/**
 * The graph with what depends on constants alone computed, by the reference kernels, and rounded to the dtype.
 *
 * Left as they are: large tensors, stretched constants (they cost more memory than stretching costs time), what does
 * not fit its dtype, and what fails, since it is to fail when the graph runs.
 */
export function foldConstants(source: Graph): Graph {
  return rewrite(source, (node, inputs) => {
    const stays = [constantOperator, broadcastToOperator].some((operator) => (node.operator as unknown) === operator);
    return stays ? undefined : foldNode(node, inputs);
  });
}

function foldNode(node: Node, inputs: readonly Symbolic[]): readonly Symbolic[] | undefined {
  const { operator, attributes, outputs } = node;
  if (operator.kind !== 'primitive') return undefined;
  const values: Tensor[] = [];
  for (const tensor of inputs) {
    const value = madeBy(tensor, constantOperator)?.attributes.value;
    if (value === undefined || value.size > largestFolded) return undefined;
    values.push(value);
  }
  const types = [];
  for (const { dtype, shape } of outputs) {
    const numbers = shape.filter((size) => typeof size === 'number');
    if (numbers.length < shape.length || elements(numbers) > largestFolded) return undefined;
    types.push({ dtype, shape: numbers });
  }
  if (operator.cost(values, types, attributes).flops > mostOperations) return undefined;
  try {
    const size = (of: Parameters<typeof evaluateSize>[0]): number => evaluateSize(of, noSizes);
    const results = operator.reference(values.map(toReference), { attributes, outputs: types, size });
    return results.map((result, at) => constant(rounded(result, outputs[at]!)));
  } catch (error) {
    if (error instanceof UserLlmError) return undefined;
    throw error;
  }
}

function rounded({ data, shape }: ReferenceArray, { dtype, axes }: Symbolic): Tensor {
  return new Tensor('float64', axes, shape, Float64Array.from(data)).cast(dtype) as Tensor;
}

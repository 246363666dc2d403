import { UserLlmError } from '@user-llm/tensor';
import { graph, inputName, type Graph } from '../graph.js';
import { apply } from '../operator.js';
import { rawAdd } from '../operators/arithmetic.js';
import { gatherOperator, rawGather, type GatherAttributes } from '../operators/gather.js';
import { input } from '../operators/input.js';
import { rawInt8Matmul } from '../operators/int8-matmul.js';
import { matmulOperator, rawMatmul, rawScale, type MatmulAttributes } from '../operators/matmul.js';
import { rawDequantize, rawQuantizedMatmul, type QuantizedFormat } from '../operators/quantized-matmul.js';
import { rawSum } from '../operators/reduce.js';
import { rawReshape } from '../operators/reshape.js';
import { rewriteNodes } from '../rewrite.js';
import { sizeOfShape, type Size } from '../size.js';
import type { Node, Symbolic } from '../symbolic.js';

/** How a matrix that a graph takes as an input is given in 4 or 8 bits. */
export interface QuantizedInput extends QuantizedFormat {
  /** Whether blocks have an offset each, besides their scale. */
  readonly offsets: boolean;
  /** Whether what the matrix is multiplied with may be rounded: to eight bits, to fourteen where many rows are. */
  readonly accuracy: 'float32' | 'int8';
}

/** The inputs that stand for one matrix. */
interface Parts {
  readonly given: QuantizedInput;
  /** Name of the axis that blocks run along. */
  readonly axis: string;
  readonly codes: Symbolic;
  readonly scales: Symbolic;
  readonly offsets?: Symbolic;
  /** The matrix once more, in 8 bits with one scale for each of its rows. */
  readonly int8: { readonly codes: Symbolic; readonly scales: Symbolic };
}

/**
 * A graph whose matrices come in 4 or 8 bits: instead of an input `NAME` `[N, K]` it has `NAME.codes`
 * `[N, K / block, block * bits / 8]` (uint8), `NAME.scales` `[N, K / block]` and, where there are offsets,
 * `NAME.offsets` of the same shape. A number is `scale * (code - middle) + offset`; the middle is 8 or 128, and of 4 bits
 * the lower half of a byte comes first.
 *
 * Products that sum over K read the codes; a row that is looked up is made real alone; anything else makes the whole
 * matrix real. Where a matrix is multiplied with many rows, products of 8-bit numbers are several times as fast as those
 * of blocks: it is read a second time there, from `NAME.int8` `[K, N]` and `NAME.int8Scales` `[N]`.
 *
 * @param manyRows Whether a product of so many rows is to read the second form; none does unless told.
 * @throws UserLlmError `unknown-feed` when the graph has no such input, `shape-mismatch` when it is no matrix of whole blocks.
 */
export function quantizeWeights(
  source: Graph,
  quantized: Readonly<Record<string, QuantizedInput>>,
  manyRows: (rows: Size) => boolean = () => false,
): Graph {
  const parts = new Map(
    Object.entries(quantized).map(([name, given]) => [name, partsOf(source.inputs[name], name, given)] as const),
  );
  const quantizedOf = (tensor: Symbolic | undefined): Parts | undefined => tensor && parts.get(inputName(tensor) ?? '');
  const dequantized = ({ codes, scales, offsets, given, axis }: Parts): Symbolic =>
    rawDequantize(codes, scales, offsets, given, axis);
  const inInt8 = new Set<Parts>();
  const substitution = rewriteNodes(source.nodes, (node, inputs) => {
    if (!inputs.some((tensor) => quantizedOf(tensor))) return undefined;
    const [left, right] = inputs;
    const matrix = quantizedOf(right);
    if (matrix && sumsOverRows(node) && !quantizedOf(left) && manyRows(sizeOfShape(left!.shape.slice(0, -1)))) {
      inInt8.add(matrix);
      const { given, int8 } = matrix;
      const product = rawInt8Matmul(left!, int8.codes, int8.scales, { accuracy: given.accuracy });
      return [rawScale(product, (node.attributes as MatmulAttributes).scale)];
    }
    const cheap = product(node, inputs, matrix) ?? lookup(node, inputs, quantizedOf(inputs[0]));
    if (cheap && inputs.filter((tensor) => quantizedOf(tensor)).length === 1) return [cheap];
    const real = inputs.map((tensor) => {
      const own = quantizedOf(tensor);
      return own ? dequantized(own) : tensor;
    });
    return apply(node.operator, real, node.attributes);
  });
  const outputs = Object.entries(source.outputs).map(([name, tensor]) => {
    const own = quantizedOf(tensor);
    return [name, rawReshape(own ? dequantized(own) : substitution.of(tensor), tensor.axes, tensor.shape)] as const;
  });
  const inputs = Object.entries(source.inputs).flatMap(([name, tensor]) => {
    const own = parts.get(name);
    if (!own) return [tensor];
    const { codes, scales, offsets, int8 } = own;
    const second = inInt8.has(own) ? [int8.codes, int8.scales] : [];
    return [codes, scales, ...(offsets ? [offsets] : []), ...second];
  });
  return graph(inputs, Object.fromEntries(outputs));
}

/** Names of the inputs `[N, K]` that products sum over the last axis of: those that `quantizeWeights` is for. */
export function multipliedInputs({ nodes }: Graph): Set<string> {
  const found = nodes.flatMap(({ operator, inputs: [, right], attributes }) => {
    const name = right && inputName(right);
    const multiplied = (operator as unknown) === matmulOperator && (attributes as MatmulAttributes).transposeRight;
    return multiplied && right?.shape.length === 2 && name !== undefined ? [name] : [];
  });
  return new Set(found);
}

function partsOf(declared: Symbolic | undefined, name: string, given: QuantizedInput): Parts {
  if (!declared)
    throw new UserLlmError('unknown-feed', {
      what: `matrix ${JSON.stringify(name)}`,
      expected: 'an input of the graph',
    });
  const { block, bits } = given;
  const [rows, width] = declared.shape;
  if (declared.shape.length !== 2 || typeof rows !== 'number' || typeof width !== 'number' || width % block !== 0)
    throw new UserLlmError('shape-mismatch', {
      what: `matrix ${JSON.stringify(name)}`,
      expected: `two axes, the second a multiple of ${block}`,
      got: `[${declared.shape.join(', ')}]`,
    });
  const blocks = width / block;
  const perBlock = (kind: string): Symbolic => input(`${name}.${kind}`, 'float32', ['row', 'block'], [rows, blocks]);
  return {
    given,
    axis: declared.axes[1]!,
    codes: input(`${name}.codes`, 'uint8', ['row', 'block', 'byte'], [rows, blocks, (block * bits) / 8]),
    scales: perBlock('scales'),
    ...(given.offsets && { offsets: perBlock('offsets') }),
    int8: {
      codes: input(`${name}.int8`, 'int8', ['column', 'row'], [width, rows]),
      scales: input(`${name}.int8Scales`, 'float32', ['row'], [rows]),
    },
  };
}

/** Whether a node is a product that sums over the last axis of both its sides. */
function sumsOverRows({ operator, attributes }: Node): boolean {
  if ((operator as unknown) !== matmulOperator) return false;
  const { transposeLeft, transposeRight } = attributes as MatmulAttributes;
  return !transposeLeft && transposeRight;
}

/** A product with the matrix on the right, if the node is one. */
function product(node: Node, [x]: readonly Symbolic[], own: Parts | undefined): Symbolic | undefined {
  if (!own || !sumsOverRows(node)) return undefined;
  const { scale } = node.attributes as MatmulAttributes;
  const { codes, scales, offsets, given } = own;
  const scaled = rawQuantizedMatmul(x!, codes, scales, given);
  if (!offsets) return rawScale(scaled, scale);
  // What is added to all numbers of a block comes out as often as the sum of x over the block.
  const blocks = scales.shape[1] as number;
  const inBlocks = rawReshape(
    x!,
    [...x!.axes.slice(0, -1), 'block', 'inBlock'],
    [...x!.shape.slice(0, -1), blocks, given.block],
  );
  const sums = rawSum(inBlocks, [inBlocks.shape.length - 1], false);
  return rawScale(rawAdd(scaled, rawMatmul(sums, offsets, { transposeRight: true })), scale);
}

/** Rows of the matrix, if the node looks some up. */
function lookup(node: Node, [, rows]: readonly Symbolic[], own: Parts | undefined): Symbolic | undefined {
  if (!own || (node.operator as unknown) !== gatherOperator) return undefined;
  if ((node.attributes as GatherAttributes).axis !== 0) return undefined;
  const { codes, scales, offsets, given, axis } = own;
  const taken = (x: Symbolic): Symbolic => rawGather(x, rows!, 0);
  return rawDequantize(taken(codes), taken(scales), offsets && taken(offsets), given, axis);
}

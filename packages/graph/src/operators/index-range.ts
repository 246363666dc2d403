import { onnxDTypeCode, type OnnxEmitter, type OnnxOperand } from '../onnx.js';
import type { Symbolic } from '../symbolic.js';
import { maximumOperator, minimumOperator } from './arithmetic.js';
import { broadcastToOperator } from './broadcast.js';
import { argmaxOperator, topKOperator } from './extreme-index.js';
import { constantOperator, type ConstantAttributes } from './input.js';
import { reshapeOperator } from './reshape.js';
import { rangeOperator, sizeValueOperator } from './size-value.js';
import { transposeOperator } from './transpose.js';

/** Whether whole numbers are known to be none below 0 whatever is fed. */
function isNeverNegative({ node }: Symbolic): boolean {
  const madeBy = (...operators: readonly unknown[]): boolean => operators.includes(node.operator);
  if (madeBy(rangeOperator, sizeValueOperator, argmaxOperator, topKOperator)) return true;
  if (madeBy(broadcastToOperator, reshapeOperator, transposeOperator)) return isNeverNegative(node.inputs[0]!);
  if (madeBy(maximumOperator)) return node.inputs.some(isNeverNegative);
  if (madeBy(minimumOperator)) return node.inputs.every(isNeverNegative);
  if (!madeBy(constantOperator)) return false;
  const { value } = node.attributes as unknown as ConstantAttributes;
  return Array.from(value.contiguous().data, Number).every((number) => number >= 0);
}

/**
 * @internal The name of indices with negative ones made too large: ONNX would count those from the end, and refuses
 * what is too large. Read without its sign, -1 is 2^32 - 1. Indices that are never negative stay as they are.
 *
 * @param tensor The indices in the graph, which tells where they come from.
 */
export function refusedWhereNegative(emitter: OnnxEmitter, { name }: OnnxOperand, tensor: Symbolic): string {
  if (isNeverNegative(tensor)) return name;
  const unsigned = emitter.emit('Cast', [name], { to: { int: onnxDTypeCode['uint32']! } })[0]!;
  return emitter.emit('Cast', [unsigned], { to: { int: onnxDTypeCode['int64']! } })[0]!;
}

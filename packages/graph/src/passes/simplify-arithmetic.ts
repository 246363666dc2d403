import { isFloat } from '@user-llm/tensor';
import { applyOne, type PrimitiveOperator } from '../operator.js';
import {
  addOperator,
  divideOperator,
  maximumOperator,
  minimumOperator,
  moduloOperator,
  multiplyOperator,
  powerOperator,
  rawMultiply,
  subtractOperator,
} from '../operators/arithmetic.js';
import { broadcastToOperator } from '../operators/broadcast.js';
import { andOperator, equalOperator, lessEqualOperator, lessOperator, orOperator } from '../operators/comparison.js';
import { negateOperator, notOperator, scalarLike, type NoAttributes } from '../operators/elementwise.js';
import { matmulOperator, rawMatmul } from '../operators/matmul.js';
import { whereOperator } from '../operators/where.js';
import { sameShape } from '../size.js';
import type { Symbolic } from '../symbolic.js';
import {
  madeBy,
  scaledFactor,
  simplifying,
  uniformValue,
  type Rewritten,
  type Simplification,
  type SimplificationEntry,
} from './pattern.js';

/** The input at `at` where the other is `neutral` everywhere and stretches nothing. */
function withoutNeutral({ node, inputs }: Rewritten, at: 0 | 1, neutral: number): Symbolic | undefined {
  const kept = inputs[at]!;
  return uniformValue(inputs[1 - at]!) === neutral && sameShape(kept.shape, node.outputs[0]!.shape) ? kept : undefined;
}

/** The node on inputs that are not stretched first, where broadcasting stretches them anyway. */
function unstretched({ node, inputs, attributes }: Rewritten): Symbolic | undefined {
  let narrow = inputs;
  inputs.forEach((tensor, at) => {
    const stretched = madeBy(tensor, broadcastToOperator);
    if (!stretched) return;
    const trial = narrow.with(at, stretched.inputs[0]!);
    if (sameShape(node.operator.infer(trial, attributes)[0]!.shape, node.outputs[0]!.shape)) narrow = trial;
  });
  return narrow === inputs ? undefined : applyOne(node.operator, narrow, attributes);
}

/** A tensor times a number: nothing for 1, the scale of a matrix product, one factor instead of two. */
const product: Simplification = ({ node, inputs, uses }) => {
  const scaled = scaledFactor(inputs, node.outputs[0]!.shape);
  if (!scaled) return undefined;
  const { tensor, factor, at } = scaled;
  if (factor === 1) return tensor;
  if (!isFloat(tensor.dtype)) return undefined;
  const matrices = madeBy(tensor, matmulOperator);
  // A product that others read as well would be computed twice.
  if (matrices && uses(node.inputs[at]!) === 1) {
    const { inputs: factors, attributes } = matrices;
    return rawMatmul(factors[0]!, factors[1]!, { ...attributes, scale: attributes.scale * factor });
  }
  const inner = madeBy(tensor, multiplyOperator);
  const first = inner && scaledFactor(inner.inputs, tensor.shape);
  if (!first) return undefined;
  const both = first.factor * factor;
  return both === 1 ? first.tensor : rawMultiply(first.tensor, scalarLike(tensor, both));
};

/** The input of the same operator below it, which undoes it. */
function undone(operator: PrimitiveOperator<NoAttributes>): SimplificationEntry {
  return simplifying(operator, ({ inputs: [x] }) => madeBy(x!, operator)?.inputs[0]);
}

/** Neutral elements, factors that join, operators that undo themselves, and stretching that broadcasting does anyway. */
export const arithmeticSimplifications: readonly SimplificationEntry[] = [
  simplifying(addOperator, (found) => withoutNeutral(found, 0, 0) ?? withoutNeutral(found, 1, 0) ?? unstretched(found)),
  simplifying(subtractOperator, (found) => withoutNeutral(found, 0, 0) ?? unstretched(found)),
  simplifying(multiplyOperator, (found) => product(found) ?? unstretched(found)),
  simplifying(divideOperator, (found) => withoutNeutral(found, 0, 1) ?? unstretched(found)),
  simplifying(powerOperator, (found) => withoutNeutral(found, 0, 1) ?? unstretched(found)),
  ...[
    maximumOperator,
    minimumOperator,
    moduloOperator,
    equalOperator,
    lessOperator,
    lessEqualOperator,
    andOperator,
    orOperator,
    whereOperator,
  ].map((operator) => simplifying(operator, unstretched)),
  undone(negateOperator),
  undone(notOperator),
];

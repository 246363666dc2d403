import { isFloat } from '@user-llm/tensor';
import { multiplyOperator } from '../operators/arithmetic.js';
import { matmulOperator, rawMatmul } from '../operators/matmul.js';
import { transposeOperator } from '../operators/transpose.js';
import type { Symbolic } from '../symbolic.js';
import { madeBy, scaledFactor, simplifying, type SimplificationEntry } from './pattern.js';

/** A factor of a matrix product without what the product can do itself. */
interface Bare {
  readonly tensor: Symbolic;
  readonly transposed: boolean;
  readonly scale: number;
}

/** Whether a permutation exchanges the last two axes and nothing else. */
function exchangesLastTwo(permutation: readonly number[]): boolean {
  const rank = permutation.length;
  return (
    rank >= 2 &&
    permutation.every((from, to) => from === (to === rank - 1 ? rank - 2 : to === rank - 2 ? rank - 1 : to))
  );
}

/** Takes exchanges of the last two axes and constant factors off a tensor. */
function bare(factor: Symbolic): Bare {
  let tensor = factor;
  let transposed = false;
  let scale = 1;
  for (;;) {
    const moved = madeBy(tensor, transposeOperator);
    const times = madeBy(tensor, multiplyOperator);
    const scaled = times && isFloat(tensor.dtype) ? scaledFactor(times.inputs, tensor.shape) : undefined;
    if (moved && exchangesLastTwo(moved.attributes.permutation)) {
      tensor = moved.inputs[0]!;
      transposed = !transposed;
    } else if (scaled) {
      tensor = scaled.tensor;
      scale *= scaled.factor;
    } else return { tensor, transposed, scale };
  }
}

/** Transposes and constant factors of what is multiplied become attributes of the matrix product. */
export const matmulSimplifications: readonly SimplificationEntry[] = [
  simplifying(matmulOperator, ({ inputs, attributes }) => {
    const [left, right] = inputs.map(bare);
    if (left!.tensor === inputs[0] && right!.tensor === inputs[1]) return undefined;
    return rawMatmul(left!.tensor, right!.tensor, {
      transposeLeft: attributes.transposeLeft !== left!.transposed,
      transposeRight: attributes.transposeRight !== right!.transposed,
      scale: attributes.scale * left!.scale * right!.scale,
    });
  }),
];

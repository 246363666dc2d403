import { add, matmulTransposed, parameter, type Float, type ParameterSpec } from '@user-llm/graph';
import type { Axes } from '@user-llm/tensor';
import { zeros, type Initialization } from './initialization.js';
import type { Width } from './width.js';

/** Parameters of a linear map with a bias, stored as PyTorch stores them: `weight` `[O, I]` and `bias` `[O]`. */
export type LinearParameters<I extends string, O extends string> = {
  readonly weight: ParameterSpec<readonly [O, I]>;
  readonly bias: ParameterSpec<readonly [O]>;
};

/** A linear map of the last axis, with a bias. */
export interface Linear<I extends string, O extends string> {
  readonly parameters: LinearParameters<I, O>;
  /** @param x `[...L, I]` @returns `[...L, O]` */
  apply<L extends Axes>(
    parameters: { readonly weight: Float<readonly [O, I]>; readonly bias: Float<readonly [O]> },
    x: Float<readonly [...L, I]>,
  ): Float<readonly [...L, O]>;
}

/** A linear map of the last axis, with a bias that starts at 0. */
export function linear<const I extends string, const O extends string>(
  from: Width<I>,
  to: Width<O>,
  initialization: Initialization,
): Linear<I, O> {
  return {
    parameters: {
      weight: parameter([to.axis, from.axis], [to.size, from.size], initialization(from.size, to.size)),
      bias: parameter([to.axis], [to.size], zeros),
    },
    apply: ({ weight, bias }, x) => add(matmulTransposed(x, weight) as Float, bias) as never,
  };
}

/** Parameters of a linear map without a bias: `weight` `[O, I]`. */
export type ProjectionParameters<I extends string, O extends string> = {
  readonly weight: ParameterSpec<readonly [O, I]>;
};

/** A linear map of the last axis, without a bias. */
export interface Projection<I extends string, O extends string> {
  readonly parameters: ProjectionParameters<I, O>;
  /** @param x `[...L, I]` @returns `[...L, O]` */
  apply<L extends Axes>(
    parameters: { readonly weight: Float<readonly [O, I]> },
    x: Float<readonly [...L, I]>,
  ): Float<readonly [...L, O]>;
}

/** A linear map of the last axis, without a bias. */
export function projection<const I extends string, const O extends string>(
  from: Width<I>,
  to: Width<O>,
  initialization: Initialization,
): Projection<I, O> {
  return {
    parameters: { weight: parameter([to.axis, from.axis], [to.size, from.size], initialization(from.size, to.size)) },
    apply: ({ weight }, x) => matmulTransposed(x, weight),
  };
}

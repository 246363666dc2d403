import { layerNorm, parameter, rmsNorm, type Float, type ParameterSpec } from '@user-llm/graph';
import type { Axes } from '@user-llm/tensor';
import { ones, zeros } from './initialization.js';
import type { Width } from './width.js';

/** Parameters of a layer norm: gain `weight` `[W]`, which starts at 1, and `bias` `[W]`, which starts at 0. */
export type LayerNormParameters<W extends string> = {
  readonly weight: ParameterSpec<readonly [W]>;
  readonly bias: ParameterSpec<readonly [W]>;
};

/** A layer norm of the last axis (Ba et al. 2016). */
export interface LayerNormalization<W extends string> {
  readonly parameters: LayerNormParameters<W>;
  /** @param x `[...L, W]` @returns As `x`. */
  apply<L extends Axes>(
    parameters: { readonly weight: Float<readonly [W]>; readonly bias: Float<readonly [W]> },
    x: Float<readonly [...L, W]>,
  ): Float<readonly [...L, W]>;
}

/**
 * A layer norm of the last axis (Ba et al. 2016).
 *
 * @param epsilon Added to variances.
 */
export function layerNormalization<const W extends string>(width: Width<W>, epsilon: number): LayerNormalization<W> {
  return {
    parameters: {
      weight: parameter([width.axis], [width.size], ones),
      bias: parameter([width.axis], [width.size], zeros),
    },
    apply: ({ weight, bias }, x) => layerNorm(x, weight as never, bias as never, epsilon),
  };
}

/** Parameters of an RMS norm: gain `weight` `[W]`, which starts at 1. */
export type RmsNormParameters<W extends string> = {
  readonly weight: ParameterSpec<readonly [W]>;
};

/** A root-mean-square norm of the last axis (Zhang and Sennrich 2019). */
export interface RmsNormalization<W extends string> {
  readonly parameters: RmsNormParameters<W>;
  /** @param x `[...L, W]` @returns As `x`. */
  apply<L extends Axes>(
    parameters: { readonly weight: Float<readonly [W]> },
    x: Float<readonly [...L, W]>,
  ): Float<readonly [...L, W]>;
}

/**
 * A root-mean-square norm of the last axis (Zhang and Sennrich 2019).
 *
 * @param epsilon Added to mean squares.
 */
export function rmsNormalization<const W extends string>(width: Width<W>, epsilon: number): RmsNormalization<W> {
  return {
    parameters: { weight: parameter([width.axis], [width.size], ones) },
    apply: ({ weight }, x) => rmsNorm(x, weight as never, epsilon),
  };
}

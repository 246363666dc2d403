import { gelu, multiply, relu, silu, split, type Float, type SymbolicParameters } from '@user-llm/graph';
import type { Axes } from '@user-llm/tensor';
import type { Initialization } from './initialization.js';
import { linear, type LinearParameters } from './linear.js';
import type { Width } from './width.js';

/** What stands between the two maps of a feed-forward network; `swiglu` multiplies one half by silu of the other. */
export type Activation = 'gelu' | 'relu' | 'swiglu';

/** All activations. */
export const activations = ['gelu', 'relu', 'swiglu'] as const satisfies readonly Activation[];

/** Sizes of a feed-forward network. */
export interface FeedForwardConfig<W extends string> {
  readonly width: Width<W>;
  /** Width between the maps. */
  readonly hidden: number;
  readonly activation: Activation;
  readonly initialization: Initialization;
}

/** Parameters of a feed-forward network, named as in PyTorch's Transformer layers; for `swiglu` `linear1` maps to gates, then values. */
export type FeedForwardParameters<W extends string> = {
  readonly linear1: LinearParameters<W, 'hidden'>;
  readonly linear2: LinearParameters<'hidden', W>;
};

/** Two linear maps with an activation between them. */
export interface FeedForward<W extends string> {
  readonly parameters: FeedForwardParameters<W>;
  /** @param x `[...L, W]` @returns As `x`. */
  apply<L extends Axes>(
    parameters: SymbolicParameters<FeedForwardParameters<W>>,
    x: Float<readonly [...L, W]>,
  ): Float<readonly [...L, W]>;
}

/** Two linear maps with an activation between them (Vaswani et al. 2017; SwiGLU: Shazeer 2020). */
export function feedForward<const W extends string>(config: FeedForwardConfig<W>): FeedForward<W> {
  const { width, hidden, activation, initialization } = config;
  const widened = { axis: 'hidden', size: activation === 'swiglu' ? 2 * hidden : hidden } as const;
  const linear1 = linear(width, widened, initialization);
  const linear2 = linear({ axis: 'hidden', size: hidden }, width, initialization);
  const activate = <A extends Axes>(x: Float<A>): Float<A> => {
    if (activation === 'gelu') return gelu(x);
    if (activation === 'relu') return relu(x);
    const [gate, value] = split(x, 'hidden', [hidden, hidden]);
    return multiply(silu(gate!), value!) as Float<A>;
  };
  return {
    parameters: { linear1: linear1.parameters, linear2: linear2.parameters },
    apply: (own, x) => linear2.apply(own.linear2, activate(linear1.apply(own.linear1, x))),
  };
}

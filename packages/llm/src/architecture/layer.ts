import {
  add,
  gelu,
  geluTanh,
  layerNorm,
  matmulTransposed,
  multiply,
  relu,
  rmsNorm,
  silu,
  type Float,
  type SymbolicParameters,
} from '@user-llm/graph';
import type { HiddenStates, LanguageModelHooks } from '@user-llm/plugin';
import type { Axes } from '@user-llm/tensor';
import type { ActivationKind, DecoderDescription, NormDescription } from './description.js';
import type { DecoderLayerParameters, NormParameters } from './parameters.js';
import { headwise, type Reading, type Wide } from './reading.js';

// B batch, L tokens, H heads, S head size, D model width, Q query width, U key-value width, F feed-forward width.

const activations: Readonly<Record<ActivationKind, <A extends Axes>(x: Float<A>) => Float<A>>> = {
  silu,
  gelu,
  'gelu-tanh': geluTanh,
  relu,
};

/**
 * A norm of the last axis.
 *
 * @param x `[...L, W]`
 */
export function normalized<L extends Axes, W extends string>(
  x: Float<readonly [...L, W]>,
  { weight, bias }: { readonly weight: Float<readonly [W]>; readonly bias?: Float<readonly [W]> },
  { kind, epsilon, gainsFromOne }: NormDescription,
): Float<readonly [...L, W]> {
  if (kind === 'layer') return layerNorm<L, W>(x, weight, bias, epsilon);
  return rmsNorm<L, W>(x, gainsFromOne ? (add(weight as Float, 1) as typeof weight) : weight, epsilon);
}

/** What one layer is computed with. */
interface LayerInputs {
  readonly own: SymbolicParameters<DecoderLayerParameters>;
  /** Its number, from 0. */
  readonly layer: number;
  readonly reading: Reading;
  readonly description: DecoderDescription;
  readonly hooks: LanguageModelHooks;
}

type MapParameters<O extends string, I extends string> = {
  readonly weight: Float<readonly [O, I]>;
  readonly bias?: Float<readonly [O]>;
};

/** A linear map of the layer, as the hooks leave it. */
function mapped<I extends string, O extends string>(
  { layer, hooks }: LayerInputs,
  path: string,
  x_BLI: Wide<I>,
  { weight, bias }: MapParameters<O, I>,
): Wide<O> {
  const product_BLO = matmulTransposed(x_BLI as Float<readonly [...['batch', 'token'], I]>, weight) as Wide<O>;
  const plain_BLO = bias ? (add(product_BLO as Float, bias as Float) as Wide<O>) : product_BLO;
  return hooks.linear ? hooks.linear(`model.layers.${layer}.${path}`, x_BLI, plain_BLO) : plain_BLO;
}

/** Heads normalized, where the layer does so. */
function normalizedHeads<W extends string>(
  x_BLW: Wide<W>,
  heads: number,
  gains: SymbolicParameters<NormParameters<'headSize'>> | undefined,
  { description: { headSize, headNorm } }: LayerInputs,
): Wide<W> {
  if (!gains) return x_BLW;
  return headwise(x_BLW, { head: heads, headSize }, (x_BLHS) => normalized(x_BLHS, gains as never, headNorm!));
}

/** `[batch, token, modelWidth]`: what attention adds, before a norm of its own. */
function attended(x_BLD: HiddenStates, inputs: LayerInputs): HiddenStates {
  const { description, layer, reading, own } = inputs;
  const { heads, keyValueHeads, attentionSoftCap: softCap } = description;
  const { attentionScale: scale, window, rotary } = description.layers[layer]!;
  const { q_proj, k_proj, v_proj, o_proj, q_norm, k_norm } = own.self_attn;
  const query_BLQ: Wide<'queryWidth'> = mapped(inputs, 'self_attn.q_proj', x_BLD, q_proj as never);
  const key_BLU: Wide<'keyValueWidth'> = mapped(inputs, 'self_attn.k_proj', x_BLD, k_proj as never);
  const value_BLU: Wide<'keyValueWidth'> = mapped(inputs, 'self_attn.v_proj', x_BLD, v_proj as never);
  const form = {
    heads,
    keyValueHeads,
    scale,
    ...(window && { window }),
    ...(softCap && { softCap }),
    ...(rotary && { rotary }),
  };
  const mixed_BLQ = reading.attend(
    layer,
    normalizedHeads(query_BLQ, heads, q_norm, inputs),
    normalizedHeads(key_BLU, keyValueHeads, k_norm, inputs),
    value_BLU,
    form,
  );
  return mapped(inputs, 'self_attn.o_proj', mixed_BLQ, o_proj as never);
}

/** `[batch, token, modelWidth]`: what the feed-forward network adds, before a norm of its own. */
function fedForward(x_BLD: HiddenStates, inputs: LayerInputs): HiddenStates {
  const { gate_proj, up_proj, down_proj } = inputs.own.mlp;
  const activate = activations[inputs.description.feedForward.activation];
  const up_BLF: Wide<'hidden'> = mapped(inputs, 'mlp.up_proj', x_BLD, up_proj as never);
  const wide_BLF = gate_proj
    ? multiply(activate(mapped(inputs, 'mlp.gate_proj', x_BLD, gate_proj as never)) as typeof up_BLF, up_BLF)
    : activate(up_BLF);
  return mapped(inputs, 'mlp.down_proj', wide_BLF, down_proj as never);
}

/**
 * One layer of a decoder: what attention and then the feed-forward network make of normalized hidden states is added
 * to them.
 *
 * @param x_BLD `[batch, token, modelWidth]`
 * @returns As `x_BLD`.
 */
export function decoderLayer(x_BLD: HiddenStates, inputs: LayerInputs): HiddenStates {
  const { own, layer, hooks, description } = inputs;
  const norm = (y_BLD: HiddenStates, gains: unknown): HiddenStates =>
    normalized<['batch', 'token'], 'modelWidth'>(y_BLD, gains as never, description.norm);
  const around = description.norms === 'around';
  const mixed_BLD = attended(norm(x_BLD, own.input_layernorm), inputs);
  const read_BLD = add(x_BLD, around ? norm(mixed_BLD, own.post_attention_layernorm) : mixed_BLD);
  const hooked_BLD = hooks.afterSelfAttention?.(read_BLD, layer) ?? read_BLD;
  const before = around ? own.pre_feedforward_layernorm : own.post_attention_layernorm;
  const forward_BLD = fedForward(norm(hooked_BLD, before), inputs);
  return add(hooked_BLD, around ? norm(forward_BLD, own.post_feedforward_layernorm) : forward_BLD);
}

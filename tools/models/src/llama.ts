import {
  add,
  attention,
  embed,
  joinAxes,
  matmulTransposed,
  multiply,
  parameter,
  range,
  rmsNorm,
  rotary,
  rotaryFrequencies,
  silu,
  splitAxis,
  type Float,
  type Initializer,
  type Module,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import type { Id } from '@user-llm/tensor';

// B batch, L tokens, D model width, H query heads, N key-value heads, S head size, F feed-forward width, V vocabulary;
// Q is H * S, U is N * S.

/** Sizes of a Llama. */
export interface LlamaConfig {
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  /** Query heads; they divide the width. */
  readonly heads: number;
  /** Key and value heads, each shared by as many query heads. */
  readonly keyValueHeads: number;
  readonly feedForward: number;
  /** Added to mean squares, 1e-5 in Llama 2 and 3. */
  readonly epsilon: number;
  /** Base of the rotary frequencies, 10,000 in Llama 2. */
  readonly rotaryBase: number;
  /** Standard deviation of the first values of matrices. */
  readonly deviation: number;
}

type LlamaLayer = ReturnType<typeof layerParameters>;

function layerParameters({ width, heads, keyValueHeads, feedForward, deviation }: LlamaConfig) {
  const initializer: Initializer = { kind: 'normal', standardDeviation: deviation };
  const norm = () => ({ weight: parameter(['modelWidth'], [width], { kind: 'constant', value: 1 }) });
  const queryWidth = width;
  const keyValueWidth = (width / heads) * keyValueHeads;
  const keyValue = () => ({
    weight: parameter(['keyValueWidth', 'modelWidth'], [keyValueWidth, width], initializer),
  });
  const widen = () => ({ weight: parameter(['hidden', 'modelWidth'], [feedForward, width], initializer) });
  return {
    input_layernorm: norm(),
    self_attn: {
      q_proj: { weight: parameter(['queryWidth', 'modelWidth'], [queryWidth, width], initializer) },
      k_proj: keyValue(),
      v_proj: keyValue(),
      o_proj: { weight: parameter(['modelWidth', 'queryWidth'], [width, queryWidth], initializer) },
    },
    post_attention_layernorm: norm(),
    mlp: {
      gate_proj: widen(),
      up_proj: widen(),
      down_proj: { weight: parameter(['modelWidth', 'hidden'], [width, feedForward], initializer) },
    },
  };
}

function llamaParameters(config: LlamaConfig) {
  const { vocabulary, width, layers, deviation } = config;
  const initializer: Initializer = { kind: 'normal', standardDeviation: deviation };
  const stack: Record<string, LlamaLayer> = Object.fromEntries(
    Array.from({ length: layers }, (_, layer) => [`${layer}`, layerParameters(config)]),
  );
  return {
    model: {
      embed_tokens: { weight: parameter(['vocabulary', 'modelWidth'], [vocabulary, width], initializer) },
      layers: stack,
      norm: { weight: parameter(['modelWidth'], [width], { kind: 'constant', value: 1 }) },
    },
  };
}

/** The parameters of a Llama, named as in Hugging Face's checkpoints. */
export type LlamaParameters = ReturnType<typeof llamaParameters>;

type Hidden = Float<readonly ['batch', 'token', 'modelWidth']>;

function turned<W extends string>(
  x_BLW: Float<readonly ['batch', 'token', W]>,
  width: W,
  heads: number,
  { width: modelWidth, heads: queryHeads, rotaryBase }: LlamaConfig,
): Float<readonly ['batch', 'token', W]> {
  const size = modelWidth / queryHeads;
  const x_BLHS = splitAxis(x_BLW, width, { head: heads, headSize: size }, ['batch', 'token', 'head', 'headSize']);
  const positions_L = range('token', x_BLW.shape[1]!);
  const turned_BLHS = rotary(x_BLHS, positions_L, { frequencies: rotaryFrequencies(size, rotaryBase) });
  return joinAxes(turned_BLHS, ['head', 'headSize'], width, ['batch', 'token', width]);
}

function layer(x_BLD: Hidden, parameters: SymbolicParameters<LlamaLayer>, config: LlamaConfig): Hidden {
  const { heads, keyValueHeads, epsilon } = config;
  const { self_attn: own, mlp } = parameters;
  const normal_BLD = rmsNorm(x_BLD, parameters.input_layernorm.weight, epsilon);
  const query_BLQ = turned(matmulTransposed(normal_BLD, own.q_proj.weight), 'queryWidth', heads, config);
  const key_BLU = turned(matmulTransposed(normal_BLD, own.k_proj.weight), 'keyValueWidth', keyValueHeads, config);
  const value_BLU = matmulTransposed(normal_BLD, own.v_proj.weight);
  const mixed_BLQ = attention(query_BLQ, key_BLU, value_BLU, { heads, keyValueHeads, causal: true });
  const attended_BLD = add(x_BLD, matmulTransposed(mixed_BLQ, own.o_proj.weight));
  const again_BLD = rmsNorm(attended_BLD, parameters.post_attention_layernorm.weight, epsilon);
  const gate_BLF = silu(matmulTransposed(again_BLD, mlp.gate_proj.weight));
  const hidden_BLF = multiply(gate_BLF, matmulTransposed(again_BLD, mlp.up_proj.weight));
  return add(attended_BLD, matmulTransposed(hidden_BLF, mlp.down_proj.weight));
}

/**
 * Llama (Touvron et al. 2023) with grouped-query attention and an output tied to the embedding, without dropout.
 *
 * Takes tokens `[B, L]` and gives logits `[B, L, V]`.
 */
export function llama(
  config: LlamaConfig,
): Module<
  LlamaParameters,
  Symbolic<Id<'vocabulary'>, readonly ['batch', 'token']>,
  Float<readonly ['batch', 'token', 'vocabulary']>
> {
  return {
    parameters: llamaParameters(config),
    apply: ({ model }, token_BL) => {
      const first_BLD = embed(model.embed_tokens.weight, token_BL);
      const last_BLD = Object.values(model.layers).reduce((x, own) => layer(x, own, config), first_BLD);
      return matmulTransposed(rmsNorm(last_BLD, model.norm.weight, config.epsilon), model.embed_tokens.weight);
    },
  };
}

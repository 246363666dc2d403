import {
  add,
  attention,
  embed,
  geluTanh,
  layerNorm,
  matmul,
  matmulTransposed,
  parameter,
  slice,
  split,
  type Float,
  type Initializer,
  type Module,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import type { Id } from '@user-llm/tensor';

// B batch, L tokens, D model width, F feed-forward width (4 D), V vocabulary.

/** Sizes of a GPT-2. */
export interface Gpt2Config {
  readonly vocabulary: number;
  readonly width: number;
  readonly layers: number;
  /** Heads of attention; they divide the width. */
  readonly heads: number;
  /** The longest text, in tokens. */
  readonly positions: number;
  /** Added to variances, 1e-5 in GPT-2. */
  readonly epsilon: number;
  /** Standard deviation of the first values of matrices, 0.02 in GPT-2. */
  readonly deviation: number;
}

type Gpt2Layer = ReturnType<typeof layerParameters>;

const zero: Initializer = { kind: 'constant', value: 0 };

function normParameters(width: number) {
  return {
    weight: parameter(['modelWidth'], [width], { kind: 'constant', value: 1 }),
    bias: parameter(['modelWidth'], [width], zero),
  };
}

function layerParameters({ width, deviation }: Gpt2Config) {
  const initializer: Initializer = { kind: 'normal', standardDeviation: deviation };
  return {
    ln_1: normParameters(width),
    attn: {
      c_attn: {
        weight: parameter(['modelWidth', 'attentionWidth'], [width, 3 * width], initializer),
        bias: parameter(['attentionWidth'], [3 * width], zero),
      },
      c_proj: {
        weight: parameter(['attentionWidth', 'modelWidth'], [width, width], initializer),
        bias: parameter(['modelWidth'], [width], zero),
      },
    },
    ln_2: normParameters(width),
    mlp: {
      c_fc: {
        weight: parameter(['modelWidth', 'hidden'], [width, 4 * width], initializer),
        bias: parameter(['hidden'], [4 * width], zero),
      },
      c_proj: {
        weight: parameter(['hidden', 'modelWidth'], [4 * width, width], initializer),
        bias: parameter(['modelWidth'], [width], zero),
      },
    },
  };
}

function gpt2Parameters(config: Gpt2Config) {
  const { vocabulary, positions, width, layers, deviation } = config;
  const initializer: Initializer = { kind: 'normal', standardDeviation: deviation };
  const stack: Record<string, Gpt2Layer> = Object.fromEntries(
    Array.from({ length: layers }, (_, layer) => [`${layer}`, layerParameters(config)]),
  );
  return {
    transformer: {
      wte: { weight: parameter(['vocabulary', 'modelWidth'], [vocabulary, width], initializer) },
      wpe: { weight: parameter(['token', 'modelWidth'], [positions, width], initializer) },
      h: stack,
      ln_f: normParameters(width),
    },
  };
}

/** The parameters of a GPT-2, named as in Hugging Face's checkpoints; matrices are `[from, to]`. */
export type Gpt2Parameters = ReturnType<typeof gpt2Parameters>;

type Hidden = Float<readonly ['batch', 'token', 'modelWidth']>;

function layer(x_BLD: Hidden, own: SymbolicParameters<Gpt2Layer>, { width, heads, epsilon }: Gpt2Config): Hidden {
  const { c_attn: read, c_proj: write } = own.attn;
  const { c_fc: widen, c_proj: narrow } = own.mlp;
  const normal_BLD = layerNorm(x_BLD, own.ln_1.weight, own.ln_1.bias, epsilon);
  const joined = add(matmul(normal_BLD, read.weight), read.bias);
  const [query_BLD, key_BLD, value_BLD] = split(joined, 'attentionWidth', [width, width, width]);
  const mixed_BLD = attention(query_BLD!, key_BLD!, value_BLD!, { heads, causal: true });
  const attended_BLD = add(x_BLD, add(matmul(mixed_BLD, write.weight), write.bias));
  const again_BLD = layerNorm(attended_BLD, own.ln_2.weight, own.ln_2.bias, epsilon);
  const hidden_BLF = geluTanh(add(matmul(again_BLD, widen.weight), widen.bias));
  return add(attended_BLD, add(matmul(hidden_BLF, narrow.weight), narrow.bias));
}

/**
 * GPT-2 (Radford et al. 2019): learned positions, layer norm before each part, output tied to the embedding, without
 * dropout.
 *
 * Takes tokens `[B, L]` and gives logits `[B, L, V]`.
 */
export function gpt2(
  config: Gpt2Config,
): Module<
  Gpt2Parameters,
  Symbolic<Id<'vocabulary'>, readonly ['batch', 'token']>,
  Float<readonly ['batch', 'token', 'vocabulary']>
> {
  return {
    parameters: gpt2Parameters(config),
    apply: ({ transformer: { wte, wpe, h, ln_f } }, token_BL) => {
      const positions_LD = slice(wpe.weight, 'token', 0, token_BL.shape[1]!);
      const first_BLD = add(embed(wte.weight, token_BL), positions_LD);
      const last_BLD = Object.values(h).reduce((x, own) => layer(x, own, config), first_BLD);
      return matmulTransposed(layerNorm(last_BLD, ln_f.weight, ln_f.bias, config.epsilon), wte.weight);
    },
  };
}

import {
  add,
  attention,
  embed,
  gelu,
  layerNorm,
  linearCrossEntropy,
  matmulTransposed,
  parameter,
  relu,
  slice,
  split,
  type Float,
  type FloatScalar,
  type Initializer,
  type Module,
  type Symbolic,
  type SymbolicParameters,
} from '@user-llm/graph';
import type { Id } from '@user-llm/tensor';

/** The label of an event or token that does not count, the same as PyTorch's. */
export const ignored = -100;

// B batch, T events of a history, E width, F feed-forward width, I items.

/** Sizes of an encoder of items. */
export interface EncoderConfig {
  readonly items: number;
  readonly width: number;
  readonly layers: number;
  /** Heads of attention; they divide the width. */
  readonly heads: number;
  readonly feedForward: number;
  /** The longest history, in events. */
  readonly positions: number;
  readonly activation: 'gelu' | 'relu';
  /** Added to variances. */
  readonly epsilon: number;
  /** Standard deviation of the first values of matrices. */
  readonly deviation: number;
}

/** The sizes that training steps are measured with: 6 layers, width 128, 8 heads, 50 events, MovieLens's 9,742 items. */
export const benchmarkEncoder: EncoderConfig = {
  items: 9_742,
  width: 128,
  layers: 6,
  heads: 8,
  feedForward: 512,
  positions: 50,
  activation: 'gelu',
  epsilon: 1e-5,
  deviation: 0.02,
};

type EncoderLayer = ReturnType<typeof layerParameters>;

const zero: Initializer = { kind: 'constant', value: 0 };

function normParameters(width: number) {
  return {
    weight: parameter(['width'], [width], { kind: 'constant', value: 1 }),
    bias: parameter(['width'], [width], zero),
  };
}

function layerParameters({ width, feedForward, deviation }: EncoderConfig) {
  const initializer: Initializer = { kind: 'normal', standardDeviation: deviation };
  return {
    norm1: normParameters(width),
    self_attn: {
      in_proj_weight: parameter(['attentionWidth', 'width'], [3 * width, width], initializer),
      in_proj_bias: parameter(['attentionWidth'], [3 * width], zero),
      out_proj: {
        weight: parameter(['width', 'attentionWidth'], [width, width], initializer),
        bias: parameter(['width'], [width], zero),
      },
    },
    norm2: normParameters(width),
    linear1: {
      weight: parameter(['hidden', 'width'], [feedForward, width], initializer),
      bias: parameter(['hidden'], [feedForward], zero),
    },
    linear2: {
      weight: parameter(['width', 'hidden'], [width, feedForward], initializer),
      bias: parameter(['width'], [width], zero),
    },
  };
}

function encoderParameters(config: EncoderConfig) {
  const { items, positions, width, layers, deviation } = config;
  const initializer: Initializer = { kind: 'normal', standardDeviation: deviation };
  const stack: Record<string, EncoderLayer> = Object.fromEntries(
    Array.from({ length: layers }, (_, layer) => [`${layer}`, layerParameters(config)]),
  );
  return {
    items: { weight: parameter(['item', 'width'], [items, width], initializer) },
    positions: { weight: parameter(['event', 'width'], [positions, width], initializer) },
    encoder: { layers: stack, norm: normParameters(width) },
  };
}

/** The parameters of an encoder, named as those of PyTorch's `TransformerEncoder`. */
export type EncoderParameters = ReturnType<typeof encoderParameters>;

type Events = Float<readonly ['batch', 'event', 'width']>;

function layer(x_BTE: Events, own: SymbolicParameters<EncoderLayer>, config: EncoderConfig): Events {
  const { width, heads, activation, epsilon } = config;
  const { in_proj_weight, in_proj_bias, out_proj } = own.self_attn;
  const normal_BTE = layerNorm(x_BTE, own.norm1.weight, own.norm1.bias, epsilon);
  const joined = add(matmulTransposed(normal_BTE, in_proj_weight), in_proj_bias);
  const [query_BTE, key_BTE, value_BTE] = split(joined, 'attentionWidth', [width, width, width]);
  const mixed_BTE = attention(query_BTE!, key_BTE!, value_BTE!, { heads, causal: true });
  const attended_BTE = add(x_BTE, add(matmulTransposed(mixed_BTE, out_proj.weight), out_proj.bias));
  const again_BTE = layerNorm(attended_BTE, own.norm2.weight, own.norm2.bias, epsilon);
  const wide_BTF = add(matmulTransposed(again_BTE, own.linear1.weight), own.linear1.bias);
  const hidden_BTF = activation === 'gelu' ? gelu(wide_BTF) : relu(wide_BTF);
  return add(attended_BTE, add(matmulTransposed(hidden_BTF, own.linear2.weight), own.linear2.bias));
}

/**
 * An autoregressive encoder of item histories, after Kang and McAuley 2018:
 * learned positions, layer norm before each part, without dropout.
 *
 * Takes items `[B, T]` and gives what is known after each event, `[B, T, E]`.
 */
export function encoder(
  config: EncoderConfig,
): Module<EncoderParameters, Symbolic<Id<'item'>, readonly ['batch', 'event']>, Events> {
  return {
    parameters: encoderParameters(config),
    apply: ({ items, positions, encoder: { layers, norm } }, item_BT) => {
      const positions_TE = slice(positions.weight, 'event', 0, item_BT.shape[1]!);
      const first_BTE = add(embed(items.weight, item_BT), positions_TE);
      const last_BTE = Object.values(layers).reduce((x, own) => layer(x, own, config), first_BTE);
      return layerNorm(last_BTE, norm.weight, norm.bias, config.epsilon);
    },
  };
}

/**
 * The mean cross-entropy of the next items with an output tied to the items' embedding, the logits never whole.
 *
 * @param events_BTE What `encoder` gives.
 * @param next_BT The item after each event, or -100 where none counts.
 * @param rowsAtOnce Events whose logits exist at one time; all unless told.
 */
export function nextItemLoss(
  { items }: SymbolicParameters<EncoderParameters>,
  events_BTE: Events,
  next_BT: Symbolic<'int32', readonly ['batch', 'event']>,
  rowsAtOnce = 0,
): FloatScalar {
  return linearCrossEntropy<readonly ['batch', 'event'], 'width', 'item'>(events_BTE, items.weight, next_BT, {
    ignore: ignored,
    rowsAtOnce,
  });
}

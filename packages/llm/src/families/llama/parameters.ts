import { parameter, type Initializer, type ParameterSpec } from '@user-llm/graph';
import { attentionSizes, type LlamaConfig } from './config.js';

// D model width, Q query width (heads by head size), U key-value width, F feed-forward width, V vocabulary.

type Matrix<O extends string, I extends string> = { readonly weight: ParameterSpec<readonly [O, I]> };
type Map<O extends string, I extends string> = Matrix<O, I> & { readonly bias?: ParameterSpec<readonly [O]> };
type Gain = { readonly weight: ParameterSpec<readonly ['modelWidth']> };

/** Parameters of one layer, named as in Hugging Face's checkpoints. */
export type LlamaLayerParameters = {
  readonly input_layernorm: Gain;
  readonly self_attn: {
    readonly q_proj: Map<'queryWidth', 'modelWidth'>;
    readonly k_proj: Map<'keyValueWidth', 'modelWidth'>;
    readonly v_proj: Map<'keyValueWidth', 'modelWidth'>;
    readonly o_proj: Map<'modelWidth', 'queryWidth'>;
  };
  readonly post_attention_layernorm: Gain;
  readonly mlp: {
    readonly gate_proj: Matrix<'hidden', 'modelWidth'>;
    readonly up_proj: Matrix<'hidden', 'modelWidth'>;
    readonly down_proj: Matrix<'modelWidth', 'hidden'>;
  };
};

/** Parameters of a Llama, named as in Hugging Face's checkpoints; `lm_head` where the embedding is not tied. */
export type LlamaParameters = {
  readonly model: {
    readonly embed_tokens: Matrix<'vocabulary', 'modelWidth'>;
    readonly layers: Readonly<Record<string, LlamaLayerParameters>>;
    readonly norm: Gain;
  };
  readonly lm_head?: Matrix<'vocabulary', 'modelWidth'>;
};

/** Matrices inside a layer, which hooks may wrap: the path within the layer and the widths. */
export function layerMaps(config: LlamaConfig): Readonly<Record<string, { inputs: number; outputs: number }>> {
  const { heads, keyValueHeads, headSize } = attentionSizes(config);
  const [D, Q, U, F] = [config.width, heads * headSize, keyValueHeads * headSize, config.feedForward];
  return {
    'self_attn.q_proj': { inputs: D, outputs: Q },
    'self_attn.k_proj': { inputs: D, outputs: U },
    'self_attn.v_proj': { inputs: D, outputs: U },
    'self_attn.o_proj': { inputs: Q, outputs: D },
    'mlp.gate_proj': { inputs: D, outputs: F },
    'mlp.up_proj': { inputs: D, outputs: F },
    'mlp.down_proj': { inputs: F, outputs: D },
  };
}

function layerParameters(config: LlamaConfig): LlamaLayerParameters {
  const maps = layerMaps(config);
  const initializer: Initializer = { kind: 'normal', standardDeviation: config.deviation };
  const gain: Gain = { weight: parameter(['modelWidth'], [config.width], { kind: 'constant', value: 1 }) };
  const matrix = <const O extends string, const I extends string>(path: string, to: O, from: I): Matrix<O, I> => ({
    weight: parameter([to, from], [maps[path]!.outputs, maps[path]!.inputs], initializer),
  });
  const map = <const O extends string, const I extends string>(path: string, to: O, from: I): Map<O, I> => ({
    ...matrix(path, to, from),
    ...(config.attentionBias && { bias: parameter([to], [maps[path]!.outputs], { kind: 'constant', value: 0 }) }),
  });
  return {
    input_layernorm: gain,
    self_attn: {
      q_proj: map('self_attn.q_proj', 'queryWidth', 'modelWidth'),
      k_proj: map('self_attn.k_proj', 'keyValueWidth', 'modelWidth'),
      v_proj: map('self_attn.v_proj', 'keyValueWidth', 'modelWidth'),
      o_proj: map('self_attn.o_proj', 'modelWidth', 'queryWidth'),
    },
    post_attention_layernorm: gain,
    mlp: {
      gate_proj: matrix('mlp.gate_proj', 'hidden', 'modelWidth'),
      up_proj: matrix('mlp.up_proj', 'hidden', 'modelWidth'),
      down_proj: matrix('mlp.down_proj', 'modelWidth', 'hidden'),
    },
  };
}

/** The parameters of a Llama of a config. */
export function llamaParameters(config: LlamaConfig): LlamaParameters {
  const { vocabularySize, width, layers, deviation, tiedEmbedding } = config;
  const table = (): Matrix<'vocabulary', 'modelWidth'> => ({
    weight: parameter(['vocabulary', 'modelWidth'], [vocabularySize, width], {
      kind: 'normal',
      standardDeviation: deviation,
    }),
  });
  const layer = layerParameters(config);
  return {
    model: {
      embed_tokens: table(),
      layers: Object.fromEntries(Array.from({ length: layers }, (_, at) => [`${at}`, layer])),
      norm: { weight: parameter(['modelWidth'], [width], { kind: 'constant', value: 1 }) },
    },
    ...(!tiedEmbedding && { lm_head: table() }),
  };
}

import { parameter, type Initializer, type ParameterSpec } from '@user-llm/graph';
import type { LinearMap } from '@user-llm/plugin';
import type { DecoderDescription, LayerMap, NormDescription } from './description.js';

// D model width, Q query width (heads by head size), U key-value width, S head size, F feed-forward width, V vocabulary.

type Matrix<O extends string, I extends string> = { readonly weight: ParameterSpec<readonly [O, I]> };
type Map<O extends string, I extends string> = Matrix<O, I> & { readonly bias?: ParameterSpec<readonly [O]> };

/** Gains of a norm, and its biases where it has them. */
export type NormParameters<W extends string = 'modelWidth'> = {
  readonly weight: ParameterSpec<readonly [W]>;
  readonly bias?: ParameterSpec<readonly [W]>;
};

/** Parameters of one layer, named as in Hugging Face's Llamas and Gemmas. */
export type DecoderLayerParameters = {
  /** Before attention. */
  readonly input_layernorm: NormParameters;
  readonly self_attn: {
    readonly q_proj: Map<'queryWidth', 'modelWidth'>;
    readonly k_proj: Map<'keyValueWidth', 'modelWidth'>;
    readonly v_proj: Map<'keyValueWidth', 'modelWidth'>;
    readonly o_proj: Map<'modelWidth', 'queryWidth'>;
    readonly q_norm?: NormParameters<'headSize'>;
    readonly k_norm?: NormParameters<'headSize'>;
  };
  /** Before the feed-forward network; where norms are around, after attention. */
  readonly post_attention_layernorm: NormParameters;
  /** Where norms are around, before and after the feed-forward network. */
  readonly pre_feedforward_layernorm?: NormParameters;
  readonly post_feedforward_layernorm?: NormParameters;
  readonly mlp: {
    /** Where the feed-forward network is gated. */
    readonly gate_proj?: Map<'hidden', 'modelWidth'>;
    readonly up_proj: Map<'hidden', 'modelWidth'>;
    readonly down_proj: Map<'modelWidth', 'hidden'>;
  };
};

/** Parameters of a decoder; `embed_positions` where positions are learned, `lm_head` where the embedding is not tied. */
export type DecoderParameters = {
  readonly model: {
    readonly embed_tokens: Matrix<'vocabulary', 'modelWidth'>;
    readonly embed_positions?: Matrix<'position', 'modelWidth'>;
    readonly layers: Readonly<Record<string, DecoderLayerParameters>>;
    readonly norm: NormParameters;
  };
  readonly lm_head?: Matrix<'vocabulary', 'modelWidth'>;
};

/** The linear maps of a layer with their paths in it and their widths, in the order of parameters. */
function layerMaps(description: DecoderDescription): readonly (LinearMap & { readonly path: string })[] {
  const { width, heads, keyValueHeads, headSize, feedForward } = description;
  const [D, Q, U, F] = [width, heads * headSize, keyValueHeads * headSize, feedForward.width];
  return [
    { path: 'self_attn.q_proj', inputs: D, outputs: Q },
    { path: 'self_attn.k_proj', inputs: D, outputs: U },
    { path: 'self_attn.v_proj', inputs: D, outputs: U },
    { path: 'self_attn.o_proj', inputs: Q, outputs: D },
    ...(feedForward.gated ? [{ path: 'mlp.gate_proj', inputs: D, outputs: F }] : []),
    { path: 'mlp.up_proj', inputs: D, outputs: F },
    { path: 'mlp.down_proj', inputs: F, outputs: D },
  ];
}

/** All linear maps inside the layers, by the names of their parameters without `.weight`. */
export function decoderMaps(description: DecoderDescription): Readonly<Record<string, LinearMap>> {
  const maps = layerMaps(description);
  return Object.fromEntries(
    description.layers.flatMap((_, layer) =>
      maps.map(({ path, inputs, outputs }) => [`model.layers.${layer}.${path}`, { inputs, outputs }] as const),
    ),
  );
}

function normParameters<const W extends string>(
  { kind, gainsFromOne = false }: NormDescription,
  axis: W,
  size: number,
): NormParameters<W> {
  const filled = (value: number): ParameterSpec<readonly [W]> =>
    parameter([axis], [size] as never, { kind: 'constant', value });
  return { weight: filled(gainsFromOne ? 0 : 1), ...(kind === 'layer' && { bias: filled(0) }) };
}

function layerParameters(description: DecoderDescription): DecoderLayerParameters {
  const { width, norm, norms, headNorm, headSize, feedForward, biases, deviation } = description;
  const maps = new Map(layerMaps(description).map((map) => [map.path.split('.')[1]!, map]));
  const map = <const O extends string, const I extends string>(name: LayerMap, to: O, from: I): Map<O, I> => {
    const { inputs, outputs } = maps.get(name)!;
    return {
      weight: parameter([to, from], [outputs, inputs], normal(deviation)),
      ...(biases.includes(name) && { bias: parameter([to], [outputs] as never, { kind: 'constant', value: 0 }) }),
    };
  };
  const own = normParameters(norm, 'modelWidth', width);
  const head = headNorm && normParameters(headNorm, 'headSize', headSize);
  return {
    input_layernorm: own,
    self_attn: {
      q_proj: map('q_proj', 'queryWidth', 'modelWidth'),
      k_proj: map('k_proj', 'keyValueWidth', 'modelWidth'),
      v_proj: map('v_proj', 'keyValueWidth', 'modelWidth'),
      o_proj: map('o_proj', 'modelWidth', 'queryWidth'),
      ...(head && { q_norm: head, k_norm: head }),
    },
    post_attention_layernorm: own,
    ...(norms === 'around' && { pre_feedforward_layernorm: own, post_feedforward_layernorm: own }),
    mlp: {
      ...(feedForward.gated && { gate_proj: map('gate_proj', 'hidden', 'modelWidth') }),
      up_proj: map('up_proj', 'hidden', 'modelWidth'),
      down_proj: map('down_proj', 'modelWidth', 'hidden'),
    },
  };
}

/** The parameters of a decoder. */
export function decoderParameters(description: DecoderDescription): DecoderParameters {
  const { vocabularySize, maximumTokens, width, layers, norm, deviation } = description;
  const table = <const R extends string>(axis: R, rows: number): Matrix<R, 'modelWidth'> => ({
    weight: parameter([axis, 'modelWidth'], [rows, width] as never, normal(deviation)),
  });
  const layer = layerParameters(description);
  return {
    model: {
      embed_tokens: table('vocabulary', vocabularySize),
      ...(description.learnedPositions && { embed_positions: table('position', maximumTokens) }),
      layers: Object.fromEntries(layers.map((_, at) => [`${at}`, layer])),
      norm: normParameters(norm, 'modelWidth', width),
    },
    ...(!description.tiedEmbedding && { lm_head: table('vocabulary', vocabularySize) }),
  };
}

function normal(standardDeviation: number): Initializer {
  return { kind: 'normal', standardDeviation };
}

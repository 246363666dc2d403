import type { CheckpointFormat, LanguageModel } from '@user-llm/plugin';
import type { z } from 'zod';
import { buildDecoder, type DecoderModule } from '../architecture/decoder.js';
import type { DecoderDescription, LayerDescription } from '../architecture/description.js';
import { rotaryTurn, type RotaryScaling } from '../architecture/rotary-scaling.js';
import { headsOf, parseFamilyConfig } from './config-fields.js';

/** A family of decoders: its config, and what a config means. */
export interface DecoderFamily<Config> extends LanguageModel<Config> {
  readonly config: z.ZodType<Config>;
  build(config: Config): DecoderModule;
}

/**
 * A family whose models are decoders as `DecoderDescription` describes them.
 *
 * @param describe What a valid config means.
 * @param checkpoints How its checkpoints are read and written; they cannot be when absent.
 */
export function decoderFamily<Config>(
  name: string,
  config: z.ZodType<Config>,
  describe: (config: Config) => DecoderDescription,
  checkpoints?: CheckpointFormat<Config>,
): DecoderFamily<Config> {
  return {
    specVersion: 1,
    name,
    config,
    build: (given) => buildDecoder(describe(parseFamilyConfig(name, config, given))),
    ...(checkpoints && { checkpoints }),
  };
}

/** What the configs of Llamas and their descendants have in common. */
export interface LlamaLikeConfig {
  readonly vocabularySize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads?: number | undefined;
  readonly headSize?: number | undefined;
  readonly feedForward: number;
  readonly maximumTokens: number;
  readonly normEpsilon: number;
  readonly tiedEmbedding: boolean;
  readonly deviation: number;
  readonly rotaryBase: number;
  readonly rotaryScaling?: RotaryScaling | undefined;
  readonly rotaryShare?: number | undefined;
  readonly rotaryInterleaved?: boolean | undefined;
  readonly window?: number | undefined;
  readonly localLayers?: readonly number[] | undefined;
}

/** The window of each layer, where it has one that keeps anything out. */
export function layerWindows({
  layers,
  maximumTokens,
  window,
  localLayers,
}: Pick<LlamaLikeConfig, 'layers' | 'maximumTokens' | 'window' | 'localLayers'>): readonly Pick<
  LayerDescription,
  'window'
>[] {
  const narrow = window !== undefined && window < maximumTokens;
  return Array.from({ length: layers }, (_, layer) =>
    narrow && (localLayers?.includes(layer) ?? true) ? { window } : {},
  );
}

/**
 * A decoder as Llamas and their descendants have in common: rotary positions, grouped-query attention, RMS norms before
 * each part, a feed-forward network gated by silu, no biases. Families change what is different in theirs.
 */
export function llamaLike(name: string, config: LlamaLikeConfig): DecoderDescription {
  const { vocabularySize, width, maximumTokens, tiedEmbedding, deviation } = config;
  const sizes = headsOf(config);
  const rotary = rotaryTurn({
    size: sizes.headSize * (config.rotaryShare ?? 1),
    base: config.rotaryBase,
    scaling: config.rotaryScaling,
    maximumTokens,
    interleaved: config.rotaryInterleaved ?? false,
  });
  return {
    name,
    vocabularySize,
    width,
    ...sizes,
    maximumTokens,
    layers: layerWindows(config).map((own) => ({ ...own, attentionScale: sizes.headSize ** -0.5, rotary })),
    norm: { kind: 'rms', epsilon: config.normEpsilon },
    norms: 'before',
    feedForward: { width: config.feedForward, activation: 'silu', gated: true },
    biases: [],
    tiedEmbedding,
    deviation,
  };
}

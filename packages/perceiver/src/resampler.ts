import {
  add,
  applyOne,
  concat,
  operators,
  parameter,
  rename,
  type Float,
  type ParameterSpec,
  type SymbolicParameters,
} from '@user-llm/graph';
import {
  crossAttention,
  feedForward,
  headSizeOf,
  layerNormalization,
  xavierInitialization,
  type CrossAttentionParameters,
  type FeedForwardParameters,
  type LayerNormParameters,
} from '@user-llm/layers';
import type { Compressor, CompressorModule, EncodedEvents, UserLatents } from '@user-llm/plugin';
import { lastEvents } from './last-event.js';
import { fullMask, maskOfPresent } from './presence.js';
import { addRecency, recencyParameters, type RecencyParameters } from './recency.js';
import { resamplerConfig, type ResamplerConfig } from './resampler-config.js';

// B batch, T events of a history, E user width, K latents; P is T + K, or T: what latents read.

type Latents = Float<readonly ['batch', 'latent', 'userWidth']>;

/** Parameters of one layer of a resampler. */
export type ResamplerLayerParameters = {
  readonly norm_events: LayerNormParameters<'userWidth'>;
  readonly norm_latents: LayerNormParameters<'userWidth'>;
  readonly cross_attn: CrossAttentionParameters<'userWidth', 'userWidth'>;
  readonly norm2: LayerNormParameters<'userWidth'>;
} & FeedForwardParameters<'userWidth'>;

/** Parameters of a resampler: the latents `[K, E]`, layers by number, the last norm, and recency where it is asked for. */
export type ResamplerParameters = {
  readonly latents: ParameterSpec<readonly ['latent', 'userWidth']>;
  readonly layers: Readonly<Record<string, ResamplerLayerParameters>>;
  readonly norm: LayerNormParameters<'userWidth'>;
};

const epsilon = 1e-5;

function build(config: ResamplerConfig, userWidth: number): CompressorModule {
  const { latents, layers, heads, activation, readLatents, recency, lastEvents: lastEventCount } = config;
  const width = { axis: 'userWidth', size: userWidth } as const;
  const initialization = xavierInitialization();
  const norm = layerNormalization(width, epsilon);
  const headSize = headSizeOf('perceiver', config.width ?? userWidth, heads);
  const read = crossAttention({ width, context: width, heads, headSize, initialization });
  const forward = feedForward({ width, hidden: config.feedForward ?? 4 * userWidth, activation, initialization });
  const layerParameters: ResamplerLayerParameters = {
    norm_events: norm.parameters,
    norm_latents: norm.parameters,
    cross_attn: read.parameters,
    norm2: norm.parameters,
    ...forward.parameters,
  };
  const parameters: ResamplerParameters = {
    latents: parameter(['latent', 'userWidth'], [latents, userWidth], { kind: 'normal', standardDeviation: 0.02 }),
    layers: Object.fromEntries(Array.from({ length: layers }, (_, layer) => [`${layer}`, layerParameters])),
    norm: norm.parameters,
  };

  const layer = (
    x_BKE: Latents,
    own: SymbolicParameters<ResamplerLayerParameters>,
    events_BTE: EncodedEvents['events'],
    readable_BP: UserLatents['mask'],
  ): Latents => {
    const normal_BKE = norm.apply(own.norm_latents, x_BKE);
    const seen_BTE = rename(norm.apply(own.norm_events, events_BTE), 'event', 'latent') as Latents;
    const source_BPE = readLatents ? concat([seen_BTE, normal_BKE], 'latent') : seen_BTE;
    const mixed_BKE = read.apply(
      own.cross_attn,
      normal_BKE,
      read.keysAndValues(own.cross_attn, source_BPE),
      readable_BP,
    );
    const attended_BKE = add(x_BKE, mixed_BKE);
    return add(attended_BKE, forward.apply(own, norm.apply(own.norm2, attended_BKE)));
  };

  const apply = (
    own: SymbolicParameters<ResamplerParameters & { readonly recency: RecencyParameters }>,
    batch: EncodedEvents,
  ): UserLatents => {
    const events_BTE = recency > 0 ? addRecency(own.recency.weight, batch) : batch.events;
    const size = batch.mask.shape[0]!;
    const spread = { axes: ['batch', 'latent', 'userWidth'], shape: [size, latents, userWidth] };
    const first_BKE = applyOne(operators.broadcastTo, [own.latents], spread) as Latents;
    const events_BP = rename(batch.mask, 'event', 'latent') as UserLatents['mask'];
    const readable_BP = readLatents ? concat([events_BP, fullMask(size, latents)], 'latent') : events_BP;
    const last_BKE = Object.values(own.layers).reduce((x, each) => layer(x, each, events_BTE, readable_BP), first_BKE);
    const resampled = { latents: norm.apply(own.norm, last_BKE), mask: maskOfPresent(batch.mask, latents) };
    if (lastEventCount === undefined) return resampled;
    const last = lastEvents(batch, lastEventCount);
    return {
      latents: concat([resampled.latents, last.latents], 'latent'),
      mask: concat([resampled.mask, last.mask], 'latent'),
    };
  };
  return {
    parameters: recency > 0 ? { ...parameters, recency: recencyParameters(recency + 1, userWidth) } : parameters,
    apply,
  };
}

/**
 * A Perceiver resampler: trainable latents read the events and each other, layer after layer, and replace them (Jaegle
 * et al. 2021; the form of Flamingo, Alayrac et al. 2022; in User-LLM, arXiv 2402.13598, before the LLM).
 *
 * Gives `[B, K, E]` after a last norm, and behind them the last events where they are asked for, as they are. Padding is
 * never read; the latents of a user with no events are masked, and the first of the last events where there are fewer.
 *
 * @throws UserLlmError `bad-config` when the heads do not divide the width of attention.
 */
export const perceiverResampler: Compressor<ResamplerConfig> = {
  specVersion: 1,
  name: 'perceiver',
  config: resamplerConfig,
  build,
};

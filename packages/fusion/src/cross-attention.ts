import { rename, type Float, type SymbolicParameters } from '@user-llm/graph';
import type { Fusion, FusionModule, FusionSizes, UserContext, UserLatents } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { fromContext } from './context.js';
import { crossAttentionConfig, readingLayers, type CrossAttentionConfig } from './cross-attention-config.js';
import { crossAttentionLayer, type CrossAttentionLayerParameters, type LayerInputs } from './cross-attention-layer.js';
import { projector, type ProjectorParameters } from './projector.js';

// B batch, K latents, S width of what keys and values are made of.

/** Parameters of a fusion by cross-attention: the layers by their numbers in the LLM, and the projection, if any. */
export type CrossAttentionFusionParameters = {
  readonly layers: Readonly<Record<string, CrossAttentionLayerParameters>>;
};

/** Its parameters in a graph; `projection` is there where the config asks for it. */
interface FusionInputs {
  readonly projection: SymbolicParameters<ProjectorParameters>;
  readonly layers: Readonly<Record<string, LayerInputs>>;
}

type Source = Float<readonly ['batch', 'latent', 'sourceWidth']>;

function build(config: CrossAttentionConfig, { userWidth, modelWidth, layers }: FusionSizes): FusionModule {
  const reading = readingLayers(config.every, layers);
  if (reading.length === 0) {
    throw new UserLlmError('bad-config', {
      what: 'cross-attention every n-th layer',
      expected: `every from 1 to the ${layers} layers of the LLM`,
      got: `${config.every}`,
      mend: 'Choose a smaller number, or no layer reads the user.',
    });
  }
  const projection = config.projection ? projector(config.projection, userWidth, modelWidth) : undefined;
  const layer = crossAttentionLayer(config, projection ? modelWidth : userWidth, modelWidth);
  const parameters: CrossAttentionFusionParameters = {
    layers: Object.fromEntries(reading.map((at) => [`${at}`, layer.parameters])),
  };

  const context = (own: FusionInputs, { latents, mask }: UserLatents): UserContext => {
    const source_BKS: Source = projection
      ? rename(projection.apply(own.projection, latents), 'modelWidth', 'sourceWidth')
      : rename(latents, 'userWidth', 'sourceWidth');
    const read = reading.flatMap((at) => {
      const { keys, values } = layer.context(own.layers[`${at}`]!, source_BKS);
      return [[`keys.${at}`, keys] as const, [`values.${at}`, values] as const];
    });
    return { ...Object.fromEntries(read), mask };
  };
  const hooks: FusionModule['hooks'] = (own: FusionInputs, users: UserContext) => {
    const mask = fromContext(users, 'mask') as UserLatents['mask'];
    const read = reading.map(
      (at) => [at, fromContext(users, `keys.${at}`), fromContext(users, `values.${at}`)] as const,
    );
    const byLayer = new Map(read.map(([at, keys, values]) => [at, { keys, values }]));
    return {
      afterSelfAttention: (hidden, at) => {
        const found = byLayer.get(at);
        return found ? layer.apply(own.layers[`${at}`]!, hidden, found as never, mask) : hidden;
      },
    };
  };
  return {
    parameters: projection ? { projection: projection.parameters, ...parameters } : parameters,
    context,
    hooks,
    apply: (own: FusionInputs, users: UserLatents) => hooks(own as never, context(own, users)),
  };
}

/**
 * Gated cross-attention in every n-th layer of an LLM, between self-attention and feed-forward:
 * `h + tanh(gate) * attention(norm(h), keys, values)`, one gate per layer, 0 at first unless told (arXiv 2402.13598).
 *
 * The context holds `keys.N` and `values.N`, `[batch, latent, attentionWidth]`, for every layer N that reads, and
 * `mask`, `[batch, latent]`. For a user with no events nothing is added to any hidden state.
 *
 * @throws UserLlmError `bad-config` when the heads do not divide the width, or no layer would read the user.
 */
export const crossAttention: Fusion<CrossAttentionConfig> = {
  specVersion: 1,
  name: 'cross-attention',
  config: crossAttentionConfig,
  build,
};

import { parameter, rename, where, type ParameterSpec, type SymbolicParameters } from '@user-llm/graph';
import type { Fusion, FusionModule, FusionSizes, HiddenStates, UserContext, UserLatents } from '@user-llm/plugin';
import { z } from 'zod';
import { fromContext } from './context.js';
import { projectionConfig, projector, type ProjectorParameters } from './projector.js';

/** The config of `softPrompt`; every field has a default. */
export const softPromptConfig = z.strictObject({
  projection: projectionConfig
    .default({ activation: 'gelu' })
    .describe("The two maps from latents to the embeddings of the LLM's tokens."),
});

/** A checked config of `softPrompt`. */
export type SoftPromptConfig = z.infer<typeof softPromptConfig>;

/** Parameters of a fusion by soft prompt: the projection, and what stands where there is no latent, `[modelWidth]`. */
export type SoftPromptParameters = {
  readonly projection: ProjectorParameters;
  readonly absent: ParameterSpec<readonly ['modelWidth']>;
};

function build(config: SoftPromptConfig, { userWidth, modelWidth }: FusionSizes): FusionModule {
  const projection = projector(config.projection, userWidth, modelWidth);
  const parameters: SoftPromptParameters = {
    projection: projection.parameters,
    absent: parameter(['modelWidth'], [modelWidth], { kind: 'normal', standardDeviation: 0.02 }),
  };
  type Inputs = SymbolicParameters<SoftPromptParameters>;
  const context = (own: Inputs, { latents, mask }: UserLatents): UserContext => ({
    prompt: where(mask, projection.apply(own.projection, latents), own.absent),
  });
  const hooks: FusionModule['hooks'] = (_, users: UserContext) => ({
    prefix: rename(fromContext(users, 'prompt'), 'latent', 'token') as HiddenStates,
  });
  return {
    parameters,
    context,
    hooks,
    apply: (own: Inputs, users: UserLatents) => hooks(own as never, context(own, users)),
  };
}

/**
 * A soft prompt: latents, projected to the width of the LLM, stand before the tokens (arXiv 2402.13598).
 *
 * The context holds `prompt`, `[batch, latent, modelWidth]`. Nothing is masked inside the LLM: one trained vector
 * stands in the place of each masked latent, so a user with no events is a prompt of that vector alone.
 */
export const softPrompt: Fusion<SoftPromptConfig> = {
  specVersion: 1,
  name: 'soft-prompt',
  config: softPromptConfig,
  build,
};

import { gelu, relu, type Float, type SymbolicParameters } from '@user-llm/graph';
import { linear, xavierInitialization, type LinearParameters } from '@user-llm/layers';
import { z } from 'zod';

// B batch, K latents, E user width, D width of the LLM, F width between the maps.

/** The config of the projection from user width to the width of the LLM. */
export const projectionConfig = z.strictObject({
  hidden: z.int().min(1).optional().describe('Width between the two maps; the width of the LLM when absent.'),
  activation: z.enum(['gelu', 'relu']).default('gelu').describe('What stands between the two maps.'),
});

/** A checked config of a projection. */
export type ProjectionConfig = z.infer<typeof projectionConfig>;

/** Parameters of a projection of two maps. */
export type ProjectorParameters = {
  readonly linear1: LinearParameters<'userWidth', 'hidden'>;
  readonly linear2: LinearParameters<'hidden', 'modelWidth'>;
};

/** Two linear maps with an activation between them, from latents to the width of the LLM. */
export interface Projector {
  readonly parameters: ProjectorParameters;
  /** @param latents_BKE `[B, K, E]` @returns `[B, K, D]` */
  apply(
    parameters: SymbolicParameters<ProjectorParameters>,
    latents_BKE: Float<readonly ['batch', 'latent', 'userWidth']>,
  ): Float<readonly ['batch', 'latent', 'modelWidth']>;
}

/** The projection MLP between a user encoder and an LLM (arXiv 2402.13598; trained alone by the strategy Proj). */
export function projector(config: ProjectionConfig, userWidth: number, modelWidth: number): Projector {
  const hidden = { axis: 'hidden', size: config.hidden ?? modelWidth } as const;
  const initialization = xavierInitialization();
  const linear1 = linear({ axis: 'userWidth', size: userWidth }, hidden, initialization);
  const linear2 = linear(hidden, { axis: 'modelWidth', size: modelWidth }, initialization);
  const activate = config.activation === 'gelu' ? gelu : relu;
  return {
    parameters: { linear1: linear1.parameters, linear2: linear2.parameters },
    apply: (own, latents_BKE) => linear2.apply(own.linear2, activate(linear1.apply(own.linear1, latents_BKE))),
  };
}

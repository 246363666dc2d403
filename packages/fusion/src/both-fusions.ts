import type { Fusion, FusionModule, UserContext, UserLatents } from '@user-llm/plugin';
import { z } from 'zod';
import { crossAttentionConfig } from './cross-attention-config.js';
import { crossAttention } from './cross-attention.js';
import { joinHooks } from './join-hooks.js';
import { softPrompt, softPromptConfig } from './soft-prompt.js';

/** The config of `bothFusions`; every field has a default. */
export const bothFusionsConfig = z.strictObject({
  crossAttention: crossAttentionConfig.prefault({}).describe('How layers of the LLM read the user.'),
  softPrompt: softPromptConfig.prefault({}).describe('How the user stands before the tokens.'),
});

/** A checked config of `bothFusions`. */
export type BothFusionsConfig = z.infer<typeof bothFusionsConfig>;

interface Inputs {
  readonly crossAttention: never;
  readonly softPrompt: never;
}

/** Cross-attention and a soft prompt together, of the same latents; the context holds the tensors of both. */
export const bothFusions: Fusion<BothFusionsConfig> = {
  specVersion: 1,
  name: 'both',
  config: bothFusionsConfig,
  build: (config, sizes): FusionModule => {
    const attention = crossAttention.build(config.crossAttention, sizes);
    const prompt = softPrompt.build(config.softPrompt, sizes);
    const context = (own: Inputs, users: UserLatents): UserContext => ({
      ...attention.context(own.crossAttention, users),
      ...prompt.context(own.softPrompt, users),
    });
    const hooks: FusionModule['hooks'] = (own: Inputs, users: UserContext) =>
      joinHooks(attention.hooks(own.crossAttention, users), prompt.hooks(own.softPrompt, users));
    return {
      parameters: { crossAttention: attention.parameters, softPrompt: prompt.parameters },
      context,
      hooks,
      apply: (own: Inputs, users: UserLatents) => hooks(own as never, context(own, users)),
    };
  },
};

import { bothFusions, crossAttention, softPrompt } from '@user-llm/fusion';
import { languageModels } from '@user-llm/llm';
import { identityCompressor, lastEvent, meanPool, perceiverResampler } from '@user-llm/perceiver';
import { createRegistry, definePlugin, guardPlugin, type Plugin, type Registry } from '@user-llm/plugin';
import { builtInMetrics, builtInTasks } from '@user-llm/tasks';
import { featureKinds } from '@user-llm/tokenization';
import { autoregressiveEncoder, bert4rec, dualEncoder } from '@user-llm/user-encoder';

/** Our own encoders, compressors, fusions, LLMs, features, tasks and metrics, as a plugin like any other. */
export function builtInParts(): Plugin {
  return definePlugin({
    name: '@user-llm/user-llm',
    specVersion: 1,
    features: featureKinds,
    tasks: builtInTasks(),
    metrics: builtInMetrics(),
    encoders: [autoregressiveEncoder, dualEncoder, bert4rec],
    compressors: [perceiverResampler, meanPool, lastEvent, identityCompressor],
    fusions: [crossAttention, softPrompt, bothFusions],
    llms: languageModels,
  });
}

/**
 * A registry of our own parts and those of plugins, which are guarded: their failures say who failed, see `guardPlugin`.
 *
 * @throws UserLlmError `bad-plugin` as `createRegistry`.
 */
export function userLlmRegistry(plugins: readonly Plugin[] = []): Registry {
  return createRegistry([builtInParts(), ...plugins.map(guardPlugin)]);
}

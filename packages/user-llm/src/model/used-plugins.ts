import type { Registry, SeamName } from '@user-llm/plugin';
import { partName } from '@user-llm/plugin';
import { builtInParts } from '../built-in-parts.js';
import type { UserLlmConfig } from '../config/user-llm-config.js';

/** Names of the plugins of a registry that a config's parts come from, our own left out. */
export function usedPlugins({ plugins }: Pick<Registry, 'plugins'>, config: UserLlmConfig): string[] {
  const used: Readonly<Partial<Record<SeamName, readonly string[]>>> = {
    encoders: [config.encoder.name],
    compressors: [config.compressor.name],
    fusions: [config.fusion.name],
    llms: [config.llm.name],
    features: Object.values(config.events).map(({ kind }) => kind),
  };
  const own = builtInParts().name;
  const offers = Object.entries(used) as [SeamName, readonly string[]][];
  return plugins
    .filter((plugin) =>
      offers.some(([seam, names]) => plugin[seam]?.some((part) => names.includes(partName(seam, part)))),
    )
    .map(({ name }) => name)
    .filter((name) => name !== own);
}

import { partName, type Plugin, type Registry, type SeamName } from '@user-llm/plugin';
import { builtInParts } from '../built-in-parts.js';
import type { UserLlmConfig } from '../config/user-llm-config.js';

/** A part that a config names. */
interface NamedPart {
  readonly seam: SeamName;
  readonly name: string;
}

function namedParts(config: UserLlmConfig): NamedPart[] {
  return [
    { seam: 'encoders', name: config.encoder.name },
    { seam: 'compressors', name: config.compressor.name },
    { seam: 'fusions', name: config.fusion.name },
    { seam: 'llms', name: config.llm.name },
    ...Object.values(config.events).map(({ kind }) => ({ seam: 'features', name: kind }) as const),
  ];
}

/** The plugins of a registry that a config's parts come from, our own left out. */
export function usedPlugins({ plugins }: Pick<Registry, 'plugins'>, config: UserLlmConfig): Plugin[] {
  const named = namedParts(config);
  const own = builtInParts().name;
  return plugins.filter(
    (plugin) =>
      plugin.name !== own &&
      named.some(({ seam, name }) => plugin[seam]?.some((part) => partName(seam, part) === name)),
  );
}

/** The parts of a config that no plugin of a registry offers, in words: `encoders "ours", compressors "ours"`. */
export function missingParts(registry: Pick<Registry, 'all'>, config: UserLlmConfig): string {
  return namedParts(config)
    .filter(({ seam, name }) => !registry.all(seam).has(name))
    .map(({ seam, name }) => `${seam} ${JSON.stringify(name)}`)
    .join(', ');
}

import { UserLlmError } from '@user-llm/tensor';
import { definePlugin, partName, seamNames, type Plugin, type SeamName, type Seams } from './define-plugin.js';

/** The parts of several plugins by seam and name. A registry is a value: two of them know nothing of each other. */
export interface Registry {
  /** The plugins, in the order in which they were given. */
  readonly plugins: readonly Plugin[];
  /**
   * The part of a name.
   *
   * @throws UserLlmError `unknown-part`, which lists those there are.
   */
  get<S extends SeamName>(seam: S, name: string): Seams[S];
  /** The parts of a seam by name, in the order of the plugins. */
  all<S extends SeamName>(seam: S): ReadonlyMap<string, Seams[S]>;
}

/**
 * A registry of plugins.
 *
 * @throws UserLlmError `bad-plugin` as `definePlugin`, and when two plugins have one name or offer parts of one name.
 */
export function createRegistry(plugins: readonly Plugin[]): Registry {
  const parts = new Map(seamNames.map((seam) => [seam, new Map<string, Seams[SeamName]>()]));
  const owners = new Map<string, string>();
  const seen = new Set<string>();
  for (const plugin of plugins) {
    definePlugin(plugin);
    if (seen.has(plugin.name)) throw clash('plugins', plugin.name, 'a plugin', 'a plugin');
    seen.add(plugin.name);
    for (const seam of seamNames) {
      for (const part of plugin[seam] ?? []) {
        const name = partName(seam, part);
        const owner = owners.get(`${seam}/${name}`);
        if (owner !== undefined) throw clash(seam, name, owner, plugin.name);
        owners.set(`${seam}/${name}`, plugin.name);
        parts.get(seam)!.set(name, part);
      }
    }
  }
  const all = <S extends SeamName>(seam: S): ReadonlyMap<string, Seams[S]> =>
    parts.get(seam) as unknown as ReadonlyMap<string, Seams[S]>;
  return {
    plugins: [...plugins],
    all,
    get: (seam, name) => {
      const part = all(seam).get(name);
      if (part) return part;
      throw new UserLlmError('unknown-part', {
        what: `${seam} ${JSON.stringify(name)}`,
        expected: `one of ${[...all(seam).keys()].join(', ') || 'none, since no plugin offers any'}`,
        mend: 'Correct the name, or add the plugin that offers it.',
      });
    },
  };
}

function clash(seam: string, name: string, first: string, second: string): UserLlmError {
  return new UserLlmError('bad-plugin', {
    what: `registry of ${seam}`,
    expected: 'different names',
    got: `${JSON.stringify(name)} from ${first} and from ${second}`,
    mend: 'Leave one of them out, or rename one.',
  });
}

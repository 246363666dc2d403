import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { definePlugin, type Plugin } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';

/**
 * Loads plugins from modules.
 *
 * @param modules Absolute paths, or names of packages; the plugin is the default export, or an export `plugin`.
 * @throws UserLlmError `bad-plugin` when a module cannot be loaded or exports no plugin.
 */
export async function loadPlugins(modules: readonly string[]): Promise<Plugin[]> {
  return Promise.all(modules.map(loadPlugin));
}

async function loadPlugin(module: string): Promise<Plugin> {
  const address = isAbsolute(module) ? pathToFileURL(module).href : module;
  const exported = (await import(address).catch((cause: unknown) => {
    throw badModule(module, cause instanceof Error ? cause.message : String(cause), cause);
  })) as { readonly default?: unknown; readonly plugin?: unknown };
  const plugin = exported.default ?? exported.plugin;
  if (typeof plugin !== 'object' || plugin === null) throw badModule(module, typeof plugin);
  return definePlugin(plugin as Plugin);
}

function badModule(module: string, got: string, cause?: unknown): UserLlmError {
  return new UserLlmError('bad-plugin', {
    what: `plugin ${module}`,
    expected: 'a module whose default export is a plugin, as definePlugin makes it',
    got,
    mend: 'Paths count from the folder of the config file; TypeScript has to be compiled first.',
    ...(cause !== undefined && { cause }),
  });
}

import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { definePlugin, type Plugin } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';

/**
 * Loads plugins from modules, as configs and commands name them.
 *
 * @param modules Absolute paths, paths that start with a dot, or names of packages; the plugin is the default export, or
 *   an export `plugin`.
 * @param from The folder that paths count from; the current one when absent.
 * @throws UserLlmError `bad-plugin` when a module cannot be loaded or exports no plugin.
 */
export async function loadPlugins(modules: readonly string[], from = process.cwd()): Promise<Plugin[]> {
  return Promise.all(modules.map((module) => loadPlugin(module, from)));
}

async function loadPlugin(module: string, from: string): Promise<Plugin> {
  const isPath = isAbsolute(module) || /^\.{1,2}[/\\]/.test(module);
  const address = isPath ? pathToFileURL(resolve(from, module)).href : module;
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
    mend:
      'A path starts with ./, ../ or /, and counts from the folder of the config file, or from the current one on the ' +
      'command line; any other name is that of a package. TypeScript has to be compiled first.',
    ...(cause !== undefined && { cause }),
  });
}

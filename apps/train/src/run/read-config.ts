import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserLlmError } from '@user-llm/tensor';
import { parseRunConfig, type Run, type RunConfig } from '@user-llm/training';
import { withSettings } from './settings.js';

/**
 * Reads a run from a JSON file, or from a module (`.mjs`, `.js`, `.ts`) whose default export it is, as `defineRun` makes
 * it or as plain fields. Paths in it count from its folder.
 *
 * @param settings `path.to.field=value` as on the command line, which replace what the file says.
 * @throws UserLlmError `no-config` when the file cannot be read, `bad-config` when it is no run.
 */
export async function readConfig(path: string, settings: readonly string[]): Promise<Run> {
  const exported = extname(path) === '.json' ? await readJson(path) : await readModule(path);
  const run = isRun(exported) ? exported : { config: exported, plugins: [] };
  const config = parseRunConfig(withSettings(run.config, settings));
  const from = (place: string): string => resolve(dirname(resolve(path)), place);
  return { plugins: run.plugins, config: withPaths(config, from) };
}

/** The config with every path in it made absolute. */
function withPaths(config: RunConfig, from: (path: string) => string): RunConfig {
  const { data, text, start } = config;
  const fromFile = (place: string): string => (/^[a-z][a-z0-9+.-]+:\/\//i.test(place) ? place : from(place));
  return {
    ...config,
    // What does not start with a dot is the name of a package.
    plugins: config.plugins.map((plugin) => (/^\.{1,2}\//.test(plugin) ? from(plugin) : plugin)),
    data: {
      ...data,
      ...(data.dataset !== undefined && { dataset: from(data.dataset) }),
      ...(data.raw && {
        raw: { ...data.raw, ...(data.raw.input !== undefined && { input: fromFile(data.raw.input) }) },
      }),
      ...(data.vectors && { vectors: mapValues(data.vectors, from) }),
    },
    ...(text && { text: text.kind === 'train' ? text : { ...text, path: from(text.path) } }),
    ...(start && { start: { ...start, model: from(start.model) } }),
    stages: config.stages.map((stage) =>
      stage.kind === 'language' ? { ...stage, files: stage.files.map(from) } : stage,
    ),
  };
}

function mapValues(record: Readonly<Record<string, string>>, of: (value: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, of(value)]));
}

function isRun(exported: unknown): exported is Run {
  return typeof exported === 'object' && exported !== null && 'config' in exported && 'plugins' in exported;
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => Promise.reject(unreadable(path, cause)));
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function readModule(path: string): Promise<unknown> {
  try {
    const module = (await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown };
    return module.default;
  } catch (cause) {
    if (UserLlmError.isInstance(cause)) throw cause;
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): UserLlmError {
  return new UserLlmError('no-config', {
    what: path,
    expected: 'a JSON file, or a module whose default export is a run',
    got: cause instanceof Error ? cause.message : String(cause),
    mend: 'TypeScript needs Node 22.18 or newer; JSON and .mjs go everywhere. `user-llm-train run --help` shows one.',
    cause,
  });
}

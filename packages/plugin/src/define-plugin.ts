import { UserLlmError } from '@user-llm/tensor';
import type { Communicator } from './communicator.js';
import type { Compressor } from './compressor.js';
import type { DatasetSource } from './dataset-source.js';
import type { Feature } from './feature.js';
import type { Fusion } from './fusion.js';
import type { LanguageModel } from './language-model.js';
import type { Metric } from './metric.js';
import type { OptimizerPlugin } from './optimizer.js';
import type { RuntimePlugin } from './runtime.js';
import type { TableEngine } from './table-engine.js';
import type { Task } from './task.js';
import type { Tracker } from './tracker.js';
import type { UserEncoder } from './user-encoder.js';
import type { UserStore } from './user-store.js';

/** Every seam with the type of what enters there. */
export interface Seams {
  readonly datasets: DatasetSource;
  readonly tables: TableEngine;
  readonly features: Feature;
  readonly tasks: Task;
  readonly metrics: Metric;
  readonly encoders: UserEncoder;
  readonly compressors: Compressor;
  readonly fusions: Fusion;
  readonly llms: LanguageModel;
  readonly optimizers: OptimizerPlugin;
  readonly trackers: Tracker;
  readonly runtimes: RuntimePlugin;
  readonly stores: UserStore;
  readonly communicators: Communicator;
}

/** The name of a seam. */
export type SeamName = keyof Seams;

/** What a part of a seam must have: the key that names it, the schema of its config, and functions. */
interface Demands {
  /** The same for every seam but features, which are selected by `kind`. */
  readonly name: 'name' | 'kind';
  readonly schema?: 'config' | 'options';
  readonly functions: readonly string[];
}

const modelPart = { name: 'name', schema: 'config', functions: ['build'] } as const satisfies Demands;

const demands = {
  datasets: { name: 'name', functions: ['locate'] },
  tables: { name: 'name', functions: ['version', 'open'] },
  features: { name: 'kind', schema: 'options', functions: ['fit', 'load'] },
  tasks: { name: 'name', functions: ['example'] },
  metrics: { name: 'name', functions: ['score'] },
  encoders: modelPart,
  compressors: modelPart,
  fusions: modelPart,
  llms: modelPart,
  optimizers: modelPart,
  trackers: { name: 'name', functions: ['open'] },
  runtimes: { name: 'name', schema: 'config', functions: ['create'] },
  stores: { name: 'name', functions: ['get', 'put', 'delete', 'close'] },
  communicators: { name: 'name', functions: ['sum', 'broadcast', 'barrier', 'close'] },
} as const satisfies Readonly<Record<SeamName, Demands>>;

/** All seams, in a fixed order. */
export const seamNames = Object.keys(demands) as readonly SeamName[];

/** What a team adds to User-LLM, as a value. */
export type Plugin = {
  /** Unique among the plugins of a config; a package's name is a good one. */
  readonly name: string;
  /** The version of these interfaces that it was written for. */
  readonly specVersion: 1;
  /** Its own version, which model directories note; best that of its package. */
  readonly version?: string;
} & { readonly [S in SeamName]?: readonly Seams[S][] };

/** The name that configs select a part by. */
export function partName(seam: SeamName, part: Seams[SeamName]): string {
  return (part as unknown as Readonly<Record<string, string>>)[demands[seam].name] ?? '';
}

/** The names of the functions that every part of a seam has. */
export function partFunctions(seam: SeamName): readonly string[] {
  return demands[seam].functions;
}

/**
 * Checks a plugin and hands it back, typed.
 *
 * @throws UserLlmError `bad-plugin` when it was written for other interfaces, has a key that is no seam, or has a part
 *   without a name or without what its seam asks for, or two of one name.
 */
export function definePlugin<const P extends Plugin>(plugin: P): P {
  const fail = (expected: string, got: string): never => {
    throw new UserLlmError('bad-plugin', { what: `plugin ${JSON.stringify(plugin.name)}`, expected, got });
  };
  if (typeof plugin.name !== 'string' || plugin.name === '') fail('a name', JSON.stringify(plugin.name));
  if (plugin.specVersion !== 1)
    fail('specVersion 1', `${String(plugin.specVersion)}; install the version of User-LLM it was written for`);
  for (const key of Object.keys(plugin)) {
    const known = ['name', 'specVersion', 'version', ...seamNames].includes(key);
    if (!known) fail(`keys among ${seamNames.join(', ')}`, key);
  }
  if (!['string', 'undefined'].includes(typeof plugin.version)) fail('a version that is text', String(plugin.version));
  for (const seam of seamNames) {
    const parts: readonly Seams[SeamName][] = plugin[seam] ?? [];
    if (!Array.isArray(parts)) fail(`a list of ${seam}`, typeof parts);
    const names = parts.map((part) => partName(seam, part));
    if (names.includes('')) fail(`a name for each of its ${seam}`, 'none');
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) fail(`different names for its ${seam}`, `${JSON.stringify(twice)} twice`);
    for (const part of parts) {
      const lacks = missingOf(demands[seam], part as unknown as Readonly<Record<string, unknown>>);
      if (lacks !== undefined) fail(`${lacks} of ${JSON.stringify(partName(seam, part))} among its ${seam}`, 'none');
    }
  }
  return plugin;
}

/** What a part lacks of what its seam asks for, in words. */
function missingOf({ schema, functions }: Demands, part: Readonly<Record<string, unknown>>): string | undefined {
  const absent = functions.find((name) => typeof part[name] !== 'function');
  if (absent !== undefined) return `the function ${absent}`;
  const given = schema && (part[schema] as { readonly '~standard'?: unknown } | undefined);
  return schema && given?.['~standard'] === undefined ? `${schema}, a Standard Schema,` : undefined;
}

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

/** The key that names a part in its seam; the same for every seam but features, which are selected by `kind`. */
const nameKeys = {
  datasets: 'name',
  tables: 'name',
  features: 'kind',
  tasks: 'name',
  metrics: 'name',
  encoders: 'name',
  compressors: 'name',
  fusions: 'name',
  llms: 'name',
  optimizers: 'name',
  trackers: 'name',
  runtimes: 'name',
  stores: 'name',
  communicators: 'name',
} as const satisfies Readonly<Record<SeamName, 'name' | 'kind'>>;

/** All seams, in a fixed order. */
export const seamNames = Object.keys(nameKeys) as readonly SeamName[];

/** What a team adds to User-LLM, as a value. */
export type Plugin = {
  /** Unique among the plugins of a config; a package's name is a good one. */
  readonly name: string;
  /** The version of these interfaces that it was written for. */
  readonly specVersion: 1;
} & { readonly [S in SeamName]?: readonly Seams[S][] };

/** The name that configs select a part by. */
export function partName(seam: SeamName, part: Seams[SeamName]): string {
  return (part as unknown as Readonly<Record<string, string>>)[nameKeys[seam]] ?? '';
}

/**
 * Checks a plugin and hands it back, typed.
 *
 * @throws UserLlmError `bad-plugin` when it was written for other interfaces, has a key that is no seam, or has a part
 *   without a name or two of one name.
 */
export function definePlugin<const P extends Plugin>(plugin: P): P {
  const fail = (expected: string, got: string): never => {
    throw new UserLlmError('bad-plugin', { what: `plugin ${JSON.stringify(plugin.name)}`, expected, got });
  };
  if (typeof plugin.name !== 'string' || plugin.name === '') fail('a name', JSON.stringify(plugin.name));
  if (plugin.specVersion !== 1)
    fail('specVersion 1', `${String(plugin.specVersion)}; install the version of User-LLM it was written for`);
  for (const key of Object.keys(plugin)) {
    const known = key === 'name' || key === 'specVersion' || seamNames.includes(key as SeamName);
    if (!known) fail(`keys among ${seamNames.join(', ')}`, key);
  }
  for (const seam of seamNames) {
    const names = (plugin[seam] ?? []).map((part) => partName(seam, part));
    if (names.includes('')) fail(`a name for each of its ${seam}`, 'none');
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) fail(`different names for its ${seam}`, `${JSON.stringify(twice)} twice`);
  }
  return plugin;
}

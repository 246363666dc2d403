import { datasetParts, fromTable, simulated, type SimulationOptions, type TableOptions } from '@user-llm/datasets';
import { createRegistry, type DatasetSource, type Plugin } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';

/** What the command line says of the raw data. */
export interface SourceFlags {
  readonly source: string;
  readonly users?: number | undefined;
  readonly events?: number | undefined;
  readonly seed?: number | undefined;
  /** How many to simulate, or the table of them. */
  readonly items?: string | undefined;
  readonly columns?: string | undefined;
  readonly itemColumns?: string | undefined;
  readonly separator?: string | undefined;
  readonly format?: TableOptions['format'] | undefined;
  readonly timeUnit?: TableOptions['timeUnit'] | undefined;
}

/** The flags that say something to one source alone; `items` does to both. */
const ownFlags = {
  table: {
    columns: '--columns',
    items: '--items',
    itemColumns: '--item-columns',
    separator: '--separator',
    format: '--format',
    timeUnit: '--time-unit',
  },
  simulate: { users: '--users', items: '--items', events: '--events', seed: '--seed' },
} as const satisfies Record<string, Partial<Record<keyof SourceFlags, string>>>;

/**
 * The source that the command line means: one of ours, or of a plugin.
 *
 * @throws UserLlmError `unknown-part` when there is none of that name, `bad-options` also for a flag of another source,
 *   `bad-columns`.
 */
export function chosenSource(flags: SourceFlags, plugins: readonly Plugin[]): DatasetSource {
  assertOwnFlags(flags);
  if (flags.source === 'table') return tableSource(flags);
  if (flags.source === 'simulate') return simulated(simulationOptions(flags));
  return createRegistry([datasetParts, ...plugins]).get('datasets', flags.source);
}

function assertOwnFlags(flags: SourceFlags): void {
  const own: Readonly<Record<string, string>> = { ...ownFlags[flags.source as keyof typeof ownFlags] };
  const given = Object.values(ownFlags)
    .flatMap((names) => Object.entries(names))
    .find(([name]) => !(name in own) && flags[name as keyof SourceFlags] !== undefined);
  if (given === undefined) return;
  throw new UserLlmError('bad-options', {
    what: `--source ${flags.source}`,
    expected:
      Object.keys(own).length > 0
        ? `of such flags only ${Object.values(own).join(', ')}`
        : 'none of the flags of other sources',
    got: given[1],
    mend: 'Leave it out, or name the source that it belongs to (`--help` says which).',
  });
}

function simulationOptions({ users, items, events, seed }: SourceFlags): SimulationOptions {
  const given = { users, items: items === undefined ? undefined : Number(items), events, seed };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function tableSource({ columns, items, itemColumns, separator, format, timeUnit }: SourceFlags): DatasetSource {
  return fromTable({
    columns: parseMapping('--columns', columns ?? ''),
    ...(items !== undefined && {
      items: { input: items, columns: parseMapping('--item-columns', itemColumns ?? '') },
    }),
    ...(separator !== undefined && { separator: separator === '\\t' ? '\t' : separator }),
    ...(format !== undefined && { format }),
    ...(timeUnit !== undefined && { timeUnit }),
  });
}

function parseMapping(flag: string, text: string): Record<string, string> {
  const pairs = text.split(',').filter((pair) => pair !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      throw new UserLlmError('bad-options', { what: flag, expected: 'name=RAW,name=RAW', got: pair });
    }),
  );
}

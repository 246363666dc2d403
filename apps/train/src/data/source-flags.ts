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
  readonly timeUnit?: TableOptions['timeUnit'] | undefined;
}

/**
 * The source that the command line means: one of ours, or of a plugin.
 *
 * @throws UserLlmError `unknown-part` when there is none of that name, `bad-options`, `bad-columns`.
 */
export function chosenSource(flags: SourceFlags, plugins: readonly Plugin[]): DatasetSource {
  if (flags.source === 'table') return tableSource(flags);
  if (flags.source === 'simulate') return simulated(simulationOptions(flags));
  return createRegistry([datasetParts, ...plugins]).get('datasets', flags.source);
}

function simulationOptions({ users, items, events, seed }: SourceFlags): SimulationOptions {
  const given = { users, items: items === undefined ? undefined : Number(items), events, seed };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function tableSource({ columns, items, itemColumns, separator, timeUnit }: SourceFlags): DatasetSource {
  return fromTable({
    columns: parseMapping('--columns', columns ?? ''),
    ...(items !== undefined && {
      items: { input: items, columns: parseMapping('--item-columns', itemColumns ?? '') },
    }),
    ...(separator !== undefined && { separator: separator === '\\t' ? '\t' : separator }),
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

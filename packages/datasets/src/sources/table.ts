import type {
  Column,
  DatasetInput,
  DatasetSource,
  EventColumns,
  ItemColumns,
  RawFormat,
  RawTable,
  TimeColumn,
} from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';
import { datasetInput } from '../files/dataset-input.js';

/** What a table of your own is: the names of its columns, and how it is written down. */
export interface TableOptions {
  /** Raw column of each canonical column, by name; `user`, `item` and `time` must be there, extra ones may. */
  readonly columns: Readonly<Record<string, string>>;
  /** Unit of the times; seconds when absent. Columns that are timestamps by type need none. */
  readonly timeUnit?: TimeColumn['unit'];
  /** How the files are written; by their names when absent. */
  readonly format?: RawFormat['kind'];
  /** Separator of values, of one to four characters; a comma when absent. */
  readonly separator?: string;
  /** A table of items, if there is one. */
  readonly items?: {
    /** A file, a folder, a glob or an address. */
    readonly input: string;
    /** Raw column of each canonical column, by name; `item` must be there. */
    readonly columns: Readonly<Record<string, string>>;
    /** What divides the text of several categories; `|` when absent. */
    readonly categorySeparator?: string;
  };
}

const numberColumns = new Set(['rating']);

/**
 * A source that reads tables of your own: CSV, JSON lines or Parquet, as a file, a folder, a glob or an address.
 *
 * @throws UserLlmError `bad-columns` when a needed column is not named; `unknown-format` when files are of no known one.
 */
export function fromTable(options: TableOptions): DatasetSource {
  assertNamed('events', options.columns, ['user', 'item', 'time']);
  if (options.items) assertNamed('items', options.items.columns, ['item']);
  return {
    name: 'table',
    description: 'Your own CSV, JSON lines or Parquet, by a mapping of columns',
    locate: async (input) => ({
      events: await rawTable<EventColumns>(input, options, eventColumns(options)),
      ...(options.items && {
        items: await rawTable<ItemColumns>(
          datasetInput(options.items.input, input.scratch),
          options,
          itemColumns(options.items),
        ),
      }),
    }),
  };
}

function eventColumns({ columns, timeUnit = 'seconds' }: TableOptions): EventColumns {
  const { user = '', item = '', time = '', ...others } = columns;
  return {
    ...mapped(others, (name, from) => ({ kind: numberColumns.has(name) ? 'number' : 'text', from })),
    user: { kind: 'text', from: user },
    item: { kind: 'text', from: item },
    time: { kind: 'time', from: time, unit: timeUnit },
  };
}

function itemColumns({ columns, categorySeparator = '|' }: NonNullable<TableOptions['items']>): ItemColumns {
  const { item = '', categories, ...others } = columns;
  return {
    ...mapped(others, (_, from) => ({ kind: 'text', from })),
    item: { kind: 'text', from: item },
    ...(categories !== undefined && { categories: { kind: 'texts', from: categories, separator: categorySeparator } }),
  };
}

const mapped = (columns: Readonly<Record<string, string>>, make: (name: string, from: string) => Column) =>
  Object.fromEntries(Object.entries(columns).map(([name, from]) => [name, make(name, from)]));

async function rawTable<Columns>(
  input: DatasetInput,
  options: TableOptions,
  columns: Columns,
): Promise<RawTable<Columns>> {
  const files = await input.files();
  const kind = options.format ?? formatOf(files, input.path);
  const separator = options.separator ?? (files.every((file) => /\.tsv(\.gz)?$/i.test(file)) ? '\t' : ',');
  return { files, format: kind === 'csv' ? { kind, separator } : { kind }, columns };
}

const endings: readonly (readonly [RegExp, RawFormat['kind']])[] = [
  [/\.(csv|tsv|txt)(\.gz)?$/i, 'csv'],
  [/\.(jsonl|ndjson|json)(\.gz)?$/i, 'jsonl'],
  [/\.(parquet|pq)$/i, 'parquet'],
];

function formatOf(files: readonly string[], path: string): RawFormat['kind'] {
  const kinds = new Set(files.map((file) => endings.find(([ending]) => ending.test(file.replace(/[?#].*$/, '')))?.[1]));
  const [kind] = kinds;
  if (kinds.size === 1 && kind !== undefined) return kind;
  throw new UserLlmError('unknown-format', {
    what: path,
    expected: 'files that all end in .csv, .tsv, .jsonl, .ndjson or .parquet',
    got: files.length === 0 ? 'no files' : `${kinds.size} different or unknown endings`,
    mend: 'Name the format (--format csv), or point at a glob such as "folder/*.csv".',
  });
}

function assertNamed(table: string, columns: Readonly<Record<string, string>>, needed: readonly string[]): void {
  const absent = needed.filter((name) => !columns[name]);
  if (absent.length === 0) return;
  throw new UserLlmError('bad-columns', {
    what: `Columns of ${table}`,
    expected: `a raw column for each of ${needed.join(', ')}`,
    got: `none for ${absent.join(', ')}`,
    mend: `Map them: --columns ${needed.map((name) => `${name}=RAW_NAME`).join(',')}`,
  });
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { DatasetSource, EventColumns, ItemColumns, RawFormat } from '@user-llm/plugin';
import { Connection } from '../engines/duckdb/connection.js';
import { literal } from '../engines/sql.js';

/** Raw files of each format that say the same, with what can go wrong in them. */
export type ExampleFormat = RawFormat['kind'];

const events: EventColumns = {
  user: { kind: 'text', from: 'who' },
  item: { kind: 'text', from: 'what' },
  time: { kind: 'time', from: 'at', unit: 'seconds' },
  rating: { kind: 'number', from: 'stars' },
  text: { kind: 'text', from: 'words' },
  verified: { kind: 'boolean', from: 'bought' },
};

const items: ItemColumns = {
  item: { kind: 'text', from: ['id', 'what'] },
  title: { kind: 'text', from: 'name' },
  categories: { kind: 'texts', from: 'kinds', separator: '|', omit: ['none'] },
  price: { kind: 'number', from: 'price', unreadable: 'none' },
};

type Raw = readonly (string | null)[];
const eventNames = ['who', 'what', 'at', 'stars', 'words', 'bought'] as const;
const itemNames = ['id', 'what', 'name', 'kinds', 'price'] as const;

/** Two files of events; the second starts with an event that happened at the time of one in the first. */
const eventRows: readonly (readonly Raw[])[] = [
  [
    ['10', 'b', '300', '4.5', 'naïve, "quoted"', 'true'],
    ['9', '18446744073709551615', '200', null, null, 'no'],
    ['9', 'a', '100', '1', '  spaces ', null],
    ['10', 'a', '300', '2', "it's", '1'],
    ['9', 'a', '100', '1', '  spaces ', null],
    [null, 'a', '100', '1', null, null],
    ['9', null, '100', '1', null, null],
    ['9', 'a', null, '1', null, null],
    ['9', 'a', 'soon', '1', null, null],
    ['9', 'a', '-5', '1', null, null],
    ['9', 'a', '99999999999', '1', null, null],
    ['9', 'a', '100', 'many', null, null],
  ],
  [
    ['10', 'c', '300', '3', '名前', 'false'],
    ['lone', 'a', '1.5', '5', null, null],
  ],
];

const itemRows: readonly Raw[] = [
  [null, 'a', 'A, the "first"', 'x|y|x| ', '$1,299.50'],
  ['b', null, "B's", 'none', 'ask us'],
  [null, 'a', 'A again', 'z', '1'],
  ['unused', null, 'Nobody took it', null, null],
];

const separated = (rows: readonly Raw[], names: readonly string[]): string =>
  [names, ...rows]
    .map((row) => row.map((value) => (value === null ? '' : `"${value.replaceAll('"', '""')}"`)).join(','))
    .join('\r\n');

const jsonLines = (rows: readonly Raw[], names: readonly string[]): string =>
  rows.map((row) => JSON.stringify(Object.fromEntries(row.map((value, at) => [names[at]!, value])))).join('\n');

/** Writes the example's raw files into a folder. */
export async function writeExample(folder: string, format: ExampleFormat): Promise<void> {
  await mkdir(folder, { recursive: true });
  const tables = [
    ...eventRows.map((rows, at) => ({ name: `events-${at}`, rows, names: eventNames })),
    { name: 'items', rows: itemRows, names: itemNames },
  ];
  for (const { name, rows, names } of tables) {
    const path = join(folder, `${name}.${format}`);
    if (format === 'csv') await writeFile(`${path}.gz`, gzipSync(separated(rows, names)));
    else if (format === 'jsonl') await writeFile(path, jsonLines(rows, names));
    else await writeParquet(folder, jsonLines(rows, names), names, path);
  }
}

async function writeParquet(folder: string, lines: string, names: readonly string[], path: string): Promise<void> {
  const source = join(folder, '.rows.jsonl');
  await writeFile(source, lines);
  await onDuckDb(folder, (connection) => {
    const columns = names.map((name) => `${literal(name)}: 'VARCHAR'`).join(', ');
    const rows = `read_json(${literal(source)}, format = 'newline_delimited', columns = {${columns}})`;
    return connection.run(`COPY (SELECT * FROM ${rows}) TO ${literal(path)} (FORMAT parquet)`);
  });
}

/** The example as a source. */
export const exampleSource = (format: ExampleFormat): DatasetSource => ({
  name: 'example',
  description: 'Files with everything that an engine must get right',
  locate: async (input) => {
    const files = await input.files();
    const named = (stem: string) => files.filter((file) => file.includes(`/${stem}`));
    return {
      events: { files: named('events-'), format: { kind: format }, columns: events },
      items: { files: named('items'), format: { kind: format }, columns: items },
    };
  },
});

/** What its good rows are as canonical events, in order. */
export const exampleEvents: readonly object[] = [
  event('9', 'a', 100, 1, '  spaces ', null),
  event('9', '18446744073709551615', 200, null, null, false),
  event('10', 'b', 300, 4.5, 'naïve, "quoted"', true),
  event('10', 'a', 300, 2, "it's", true),
  event('10', 'c', 300, 3, '名前', false),
  event('lone', 'a', 1.5, 5, null, null),
];

function event(
  user: string,
  item: string,
  seconds: number,
  rating: number | null,
  text: string | null,
  verified: boolean | null,
): object {
  return { user, item, time: String(1000 * seconds), rating, text, summary: null, verified };
}

/** What canonical items it has, in order. */
export const exampleItems: readonly object[] = [
  { item: 'a', title: 'A, the "first"', categories: ['x', 'y'], description: null, price: 1299.5 },
  { item: 'b', title: "B's", categories: [], description: null, price: null },
  { item: 'c', title: null, categories: [], description: null, price: null },
  { item: 'unused', title: 'Nobody took it', categories: [], description: null, price: null },
  { item: '18446744073709551615', title: null, categories: [], description: null, price: null },
];

/** How many of its rows are bad, by reason. */
export const exampleBad: Readonly<Record<string, number>> = {
  'user-missing': 1,
  'item-missing': 1,
  'time-missing': 1,
  'time-unreadable': 1,
  'time-out-of-range': 2,
  'number-unreadable': 1,
};

/** The rows of a Parquet file as DuckDB reads them: 64-bit integers are strings. */
export const readParquet = (scratch: string, path: string): Promise<readonly object[]> =>
  onDuckDb(scratch, (connection) => connection.run(`SELECT * FROM read_parquet(${literal(path)})`));

async function onDuckDb<T>(scratch: string, use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await Connection.open({ scratch, memoryLimit: 2e8, threads: 1 });
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}

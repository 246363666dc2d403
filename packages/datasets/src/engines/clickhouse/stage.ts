import type { BadRow, BadRowReason, Column, RawTable, StageReport, TableLimits, TableName } from '@user-llm/plugin';
import { columnNames } from '../../files/header.js';
import { firstLine } from '../../files/first-line.js';
import type { ClickHouse } from './clickhouse.js';
import { canonicalKinds, idColumns } from '../canonical-columns.js';
import { columnSql, type ColumnSql } from './column.js';
import { added } from '../sql.js';
import { identifier, rawValue, text } from './raw-value.js';
import { rawRelation, type RawRelation } from './relation.js';

/** Bits of a position below the number of the file. */
const rowBits = 40;

/** A raw table as the engine holds it: `raw_events` or `raw_items`, with a position and a reason in every row. */
export interface StagedTable {
  readonly report: Omit<StageReport, 'duplicates'>;
  /** The columns in file order, and the kind of each. */
  readonly columns: ReadonlyMap<string, Column['kind']>;
}

type Columns = Readonly<Record<string, Column | undefined>>;

/**
 * Reads raw files into a table and finds what is wrong with them.
 *
 * @param name Full name of the table that is made.
 */
export async function stage(
  connection: ClickHouse,
  name: string,
  table: TableName,
  { files, format, columns }: RawTable<Columns>,
  limits: TableLimits,
): Promise<StagedTable> {
  const names = stagedNames(table, columns);
  const definitions = [...names].map(([column, kind]) => `${identifier(column)} ${typeOf[kind]}`);
  await connection.run(
    `CREATE TABLE ${name} (${added.position} UInt64, ${definitions.join(', ')}, ${added.reason} Nullable(String),
       ${added.excerpt} Nullable(String)) ENGINE = MergeTree ORDER BY ${added.position}`,
  );
  for (const [index, file] of files.entries()) {
    const header = format.kind === 'csv' ? (format.names ?? columnNames(await firstLine(file), format)) : [];
    const types = format.kind === 'parquet' ? await typesOf(connection, file) : {};
    const sql = new Map(
      [...names].map(([column, kind]) => {
        const given = columns[column];
        const made = given && columnSql(given, rawValue(format.kind, given.from, types));
        const trimmed = made && isId(table, column) ? { ...made, value: `nullIf(trimBoth(${made.value}), '')` } : made;
        return [column, trimmed ?? { type: typeOf[kind], value: nothing(kind) }] as const;
      }),
    );
    await connection.run(
      `INSERT INTO ${name} ${selectOf(table, sql, rawRelation(file, format, header), index, limits)} SETTINGS max_threads = 1, max_insert_threads = 1`,
    );
  }
  return { report: await examine(connection, name, table, files, limits), columns: names };
}

const typeOf: Readonly<Record<Column['kind'], string>> = {
  text: 'Nullable(String)',
  number: 'Nullable(Float64)',
  boolean: 'Nullable(Bool)',
  time: 'Nullable(Int64)',
  texts: 'Array(String)',
};

/** SQL of a column of which nothing is known. */
export const nothing = (kind: Column['kind']): string => `CAST(${kind === 'texts' ? '[]' : 'NULL'}, '${typeOf[kind]}')`;

const isId = (table: TableName, column: string) => (idColumns[table] as readonly string[]).includes(column);

/** The columns of a table in file order: those every table has, then the source's own by name. */
function stagedNames(table: TableName, columns: Columns): ReadonlyMap<string, Column['kind']> {
  const canonical: Readonly<Record<string, Column['kind']>> = canonicalKinds[table];
  const names = new Set([...Object.keys(canonical), ...Object.keys(columns).sort()]);
  return new Map([...names].map((name) => [name, columns[name]?.kind ?? canonical[name] ?? 'text']));
}

async function typesOf(connection: ClickHouse, file: string): Promise<Record<string, string>> {
  const described = await connection.run(`DESCRIBE TABLE file(${text(file)}, 'Parquet')`);
  return Object.fromEntries(described.map((row) => [String(row['name']), String(row['type'])]));
}

function selectOf(
  table: TableName,
  columns: ReadonlyMap<string, ColumnSql>,
  relation: RawRelation,
  index: number,
  limits: TableLimits,
): string {
  const value = (name: string) => identifier(`=${name}`);
  const unreadable = (name: string) => identifier(`?${name}`);
  const first = [
    `bitOr(bitShiftLeft(toUInt64(${index}), ${rowBits}), rowNumberInAllBlocks()) AS ${added.position}`,
    ...[...columns].map(([name, { type, value: sql }]) => `CAST(${sql}, '${type}') AS ${value(name)}`),
    ...[...columns].map(([name, column]) => `ifNull(${column.unreadable ?? 'false'}, false) AS ${unreadable(name)}`),
    `${relation.unreadable} AS ${unreadable('')}`,
    `${relation.excerpt} AS "=excerpt"`,
  ];
  const when: [condition: string, reason: BadRowReason][] = [[unreadable(''), 'unreadable-row']];
  for (const id of idColumns[table]) when.push([`isNull(${value(id)})`, `${id}-missing`]);
  if (table === 'events') {
    const time = value('time');
    when.push([unreadable('time'), 'time-unreadable']);
    when.push([`isNull(${time})`, 'time-missing']);
    when.push([`${time} < ${limits.earliest} OR ${time} >= ${limits.latest}`, 'time-out-of-range']);
  }
  for (const name of columns.keys()) if (name !== 'time') when.push([unreadable(name), 'number-unreadable']);
  const reason = `multiIf(${when.map(([condition, code]) => `${condition}, ${text(code)}`).join(', ')}, NULL)`;
  return `SELECT ${added.position}, ${[...columns.keys()].map(value).join(', ')}, ${reason} AS ${added.reason},
    if(isNull(${added.reason}), NULL, "=excerpt") FROM (SELECT ${first.join(', ')} FROM ${relation.sql})`;
}

async function examine(
  connection: ClickHouse,
  name: string,
  table: TableName,
  files: readonly string[],
  limits: TableLimits,
): Promise<Omit<StageReport, 'duplicates'>> {
  const [total] = await connection.run(`SELECT count() AS n FROM ${name}`);
  const reasons = await connection.run(
    `SELECT ${added.reason} AS reason, count() AS n FROM ${name} WHERE isNotNull(reason) GROUP BY reason ORDER BY reason`,
  );
  const listed = await connection.run(
    `SELECT intDiv(${added.position}, ${2 ** rowBits}) AS file, ${added.position} % ${2 ** rowBits} AS row,
       ${added.reason} AS reason, ${added.excerpt} AS excerpt FROM ${name}
     WHERE isNotNull(${added.reason}) ORDER BY ${added.position} LIMIT ${limits.listedBadRows}`,
  );
  return {
    rows: Number(total?.['n']),
    bad: Object.fromEntries(reasons.map((row) => [row['reason'], Number(row['n'])])),
    badRows: listed.map((row): BadRow => ({
      table,
      file: files[Number(row['file'])] ?? '',
      row: Number(row['row']) + 1,
      reason: row['reason'] as BadRowReason,
      excerpt: String(row['excerpt'] ?? ''),
    })),
  };
}

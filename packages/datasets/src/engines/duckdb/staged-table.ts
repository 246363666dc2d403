import type { BadRowReason, Column, RawFormat, TableLimits, TableName } from '@user-llm/plugin';
import { canonicalKinds, canonicalTypes, idColumns } from '../canonical-columns.js';
import { identifier, literal } from '../sql.js';
import { columnSql, type ColumnSql } from './column.js';
import { rawValue, type ColumnTypes } from './raw-value.js';
import type { RawRelation } from './raw-relation.js';

/** Name of the relation that holds all raw rows of a table. */
export const rawName = (table: TableName): string => `raw_${table}`;

type Columns = Readonly<Record<string, Column | undefined>>;

/** The SQL of a canonical column, and of an id that is a whole number by type. */
export type StagedColumn = ColumnSql & { readonly integer?: string };

/** The SQL of each column of a canonical table in file order: those every table has, then the source's own by name. */
export function stagedColumns(
  table: TableName,
  columns: Columns,
  format: RawFormat['kind'],
  types: ColumnTypes = {},
): ReadonlyMap<string, StagedColumn> {
  const canonical: Readonly<Record<string, Column['kind']>> = canonicalKinds[table];
  const ids: readonly string[] = idColumns[table];
  const staged = new Map<string, StagedColumn>();
  for (const name of new Set([...Object.keys(canonical), ...Object.keys(columns).sort()])) {
    const column = columns[name];
    if (column === undefined) {
      const kind = canonical[name];
      if (kind !== undefined) staged.set(name, nothing(kind));
      continue;
    }
    const raw = rawValue(format, column.from, types);
    const sql = columnSql(column, raw);
    if (!ids.includes(name)) staged.set(name, sql);
    else if (raw.integer === undefined) staged.set(name, { ...sql, value: `nullif(trim(${sql.value}), '')` });
    else staged.set(name, { ...sql, integer: raw.integer });
  }
  return staged;
}

/** SQL of a column of which nothing is known. */
export const nothing = (kind: Column['kind']): ColumnSql => ({
  type: canonicalTypes[kind],
  value: `${kind === 'texts' ? '[]' : 'NULL'}::${canonicalTypes[kind]}`,
});

/** Names of what a raw row gives, apart from those of the raw columns: value, "cannot be read", whole number. */
const valueOf = (name: string) => identifier(`=${name}`);
const unreadableOf = (name: string) => identifier(`?${name}`);

/** Name under which an id that is a whole number by type comes as that number. */
export const integerOf = (name: string): string => identifier(`#${name}`);

/** SQL that gives the first reason why a row is bad, or null for a good one. */
function reasonSql(table: TableName, columns: ReadonlyMap<string, StagedColumn>, limits: TableLimits): string {
  const when: [condition: string, reason: BadRowReason][] = [[unreadableOf(''), 'unreadable-row']];
  for (const id of idColumns[table]) {
    const value = columns.get(id)?.integer === undefined ? valueOf(id) : integerOf(id);
    when.push([`${value} IS NULL`, `${id}-missing`]);
  }
  if (table === 'events') {
    const time = valueOf('time');
    when.push([unreadableOf('time'), 'time-unreadable']);
    when.push([`${time} IS NULL`, 'time-missing']);
    when.push([`${time} < ${limits.earliest} OR ${time} >= ${limits.latest}`, 'time-out-of-range']);
  }
  for (const [name, { unreadable }] of columns) {
    if (name !== 'time' && unreadable !== undefined) when.push([unreadableOf(name), 'number-unreadable']);
  }
  return `CASE ${when.map(([condition, reason]) => `WHEN ${condition} THEN ${literal(reason)}`).join(' ')} END`;
}

/**
 * SQL that reads raw rows as rows of a canonical table, with `reason` and, for bad rows, `excerpt` beside the columns.
 *
 * Ids that are whole numbers by type come a second time as `#user`, `#item`, and `position` where the relation has one.
 */
export function stagedSelect(
  table: TableName,
  columns: ReadonlyMap<string, StagedColumn>,
  relation: RawRelation,
  limits: TableLimits,
): string {
  const position = relation.position === undefined ? '' : 'position, ';
  const integers = [...columns].flatMap(([name, { integer }]) =>
    integer === undefined ? [] : [[name, integer] as const],
  );
  const first = [
    ...(relation.position === undefined ? [] : [`${relation.position} AS position`]),
    ...[...columns].map(([name, { value }]) => `${value} AS ${valueOf(name)}`),
    ...integers.map(([name, integer]) => `${integer} AS ${integerOf(name)}`),
    ...[...columns].map(([name, { unreadable }]) => `${unreadable ?? 'false'} AS ${unreadableOf(name)}`),
    `${relation.unreadable} AS ${unreadableOf('')}`,
    `${relation.excerpt} AS "=excerpt"`,
  ];
  const last = [
    ...[...columns.keys()].map((name) => `${valueOf(name)} AS ${identifier(name)}`),
    ...integers.map(([name]) => integerOf(name)),
  ];
  return `SELECT ${position}${last.join(', ')}, reason, CASE WHEN reason IS NOT NULL THEN "=excerpt" END AS excerpt
    FROM (SELECT *, ${reasonSql(table, columns, limits)} AS reason FROM (SELECT ${first.join(', ')} FROM ${relation.sql}))`;
}

import type { BadRowReason, Column, RawFormat, TableLimits, TableName } from '@user-llm/plugin';
import { canonicalKinds, canonicalTypes, idColumns } from '../canonical-columns.js';
import { added, identifier, literal } from '../sql.js';
import { columnSql, type ColumnSql } from './column.js';
import { rawValue, type ColumnTypes } from './raw-value.js';
import type { RawRelation } from './raw-relation.js';

/** Name of the relation that holds all raw rows of a table. */
export const rawName = (table: TableName): string => `raw_${table}`;

type Columns = Readonly<Record<string, Column | undefined>>;

/** SQL of a canonical column as it is staged. */
export interface StagedColumn extends ColumnSql {
  /** Of an id: its number where it is plain decimal (no sign, no leading zero), null elsewhere; `value` holds the others. */
  readonly integer?: string;
  /** Whether the source has no such column, so that all rows hold the same. */
  readonly absent?: true;
}

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
    staged.set(name, ids.includes(name) ? { ...sql, ...idSql(sql.value, raw.integer) } : sql);
  }
  return staged;
}

/** SQL of an id, as a number where it can be one: numbers are read, kept, sorted and counted in a fraction of the time. */
function idSql(text: string, integer: string | undefined): Pick<StagedColumn, 'value' | 'integer'> {
  if (integer !== undefined) {
    return {
      value: `CASE WHEN ${integer} < 0 THEN (${integer})::VARCHAR END`,
      integer: `CASE WHEN ${integer} >= 0 THEN (${integer})::UBIGINT END`,
    };
  }
  const trimmed = `nullif(trim(${text}), '')`;
  const number = `try_cast(${trimmed} AS UBIGINT)`;
  const plain = `coalesce(${number}::VARCHAR = ${trimmed}, false)`;
  return { value: `CASE WHEN NOT ${plain} THEN ${trimmed} END`, integer: `CASE WHEN ${plain} THEN ${number} END` };
}

/** SQL of a column of which nothing is known. */
export const nothing = (kind: Column['kind']): StagedColumn => ({
  absent: true,
  type: canonicalTypes[kind],
  value: `${kind === 'texts' ? '[]' : 'NULL'}::${canonicalTypes[kind]}`,
});

/** Names of what a raw row gives, apart from those of the raw columns: value, "cannot be read", whole number. */
const valueOf = (name: string) => identifier(`=${name}`);
const unreadableOf = (name: string) => identifier(`?${name}`);

/** Name under which an id that is plain decimal comes as a number. */
export const integerOf = (name: string): string => identifier(`#${name}`);

/** SQL that gives the first reason why a row is bad, or null for a good one. */
function reasonSql(table: TableName, columns: ReadonlyMap<string, StagedColumn>, limits: TableLimits): string {
  const when: [condition: string, reason: BadRowReason][] = [[unreadableOf(''), 'unreadable-row']];
  for (const id of idColumns[table]) {
    when.push([`${integerOf(id)} IS NULL AND ${valueOf(id)} IS NULL`, `${id}-missing`]);
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

/** Names and types of the columns that a staged table holds: those of the source, and ids a second time as numbers. */
export function heldColumns(columns: ReadonlyMap<string, StagedColumn>): readonly (readonly [string, string])[] {
  return [...columns].flatMap(([name, { absent, type, integer }]) => {
    if (absent) return [];
    const held = [identifier(name), type] as const;
    return integer === undefined ? [held] : [held, [integerOf(name), 'UBIGINT'] as const];
  });
}

/**
 * SQL that reads raw rows as rows of a staged table: the held columns, the reason and, for bad rows, the excerpt, behind
 * a position where the relation has one.
 */
export function stagedSelect(
  table: TableName,
  columns: ReadonlyMap<string, StagedColumn>,
  relation: RawRelation,
  limits: TableLimits,
): string {
  const position = relation.position === undefined ? '' : `${added.position}, `;
  const first = [
    ...(relation.position === undefined ? [] : [`${relation.position} AS ${added.position}`]),
    ...[...columns].map(([name, { value }]) => `${value} AS ${valueOf(name)}`),
    ...[...columns].flatMap(([name, { integer }]) =>
      integer === undefined ? [] : [`${integer} AS ${integerOf(name)}`],
    ),
    ...[...columns].map(([name, { unreadable }]) => `${unreadable ?? 'false'} AS ${unreadableOf(name)}`),
    `${relation.unreadable} AS ${unreadableOf('')}`,
    '"=raw"',
  ];
  const last = [...columns].flatMap(([name, { absent, integer }]) => {
    if (absent) return [];
    const value = `${valueOf(name)} AS ${identifier(name)}`;
    return integer === undefined ? [value] : [value, integerOf(name)];
  });
  return `SELECT ${position}${last.join(', ')}, ${added.reason}, CASE WHEN ${added.reason} IS NOT NULL THEN ${relation.excerpt} END AS ${added.excerpt}
    FROM (SELECT *, ${reasonSql(table, columns, limits)} AS ${added.reason}
      FROM (SELECT ${first.join(', ')} FROM ${relation.sql} AS "=raw"))`;
}

/**
 * SQL that selects the usable rows of a staged table with its columns.
 *
 * @param numbers Types of the ids that are kept as numbers; others become text again.
 */
export function usableSelect(
  table: TableName,
  columns: ReadonlyMap<string, StagedColumn>,
  numbers: ReadonlyMap<string, string>,
): string {
  const values = [...columns].flatMap(([name, { absent, integer }]) => {
    if (absent) return [];
    if (integer === undefined) return [identifier(name)];
    const [number, type] = [integerOf(name), numbers.get(name)];
    const value = type === undefined ? `coalesce(${identifier(name)}, ${number}::VARCHAR)` : `${number}::${type}`;
    return `${value} AS ${identifier(name)}`;
  });
  return `SELECT ${added.position}, ${values.join(', ')} FROM ${rawName(table)} WHERE ${added.reason} IS NULL`;
}

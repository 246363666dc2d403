import type { BadRow, BadRowReason, StageReport, TableLimits, TableName } from '@user-llm/plugin';
import { idColumns } from '../canonical-columns.js';
import { added, identifier } from '../sql.js';
import type { Connection } from './connection.js';
import { integerOf, rawName } from './staged-table.js';

/** Finds the raw file and row, from 1, of a position. */
export type Place = (position: number) => Pick<BadRow, 'file' | 'row'>;

/** The type that holds the ids of a column as numbers: the narrowest, for what is sorted is first of all moved. */
export type NumberType = 'UINTEGER' | 'UBIGINT';

/** What a staged table holds. */
export interface Examination {
  readonly report: Omit<StageReport, 'duplicates'>;
  /** The ids that are plain decimal numbers in all usable rows. */
  readonly numbers: ReadonlyMap<string, NumberType>;
}

/** Counts the rows of a staged table in one scan, and lists the bad ones. */
export async function examine(
  connection: Connection,
  table: TableName,
  limits: TableLimits,
  place: Place,
  onFraction?: (fraction: number) => void,
): Promise<Examination> {
  const facts = idColumns[table].map(
    (id) => `count(${identifier(id)}) FILTER (${added.reason} IS NULL) = 0 AS ${identifier(`all ${id}`)},
       coalesce(max(${integerOf(id)}) FILTER (${added.reason} IS NULL) < 4294967296, true) AS ${identifier(`small ${id}`)}`,
  );
  const found = await connection.one(
    `SELECT count(*) AS "rows", count(${added.reason}) AS bad, ${facts.join(', ')} FROM ${rawName(table)}`,
    onFraction,
  );
  const plain = idColumns[table].filter((id) => found[`all ${id}`] === true);
  const numbers = new Map(plain.map((id) => [id, found[`small ${id}`] === true ? 'UINTEGER' : 'UBIGINT'] as const));
  const rows = Number(found['rows']);
  if (Number(found['bad']) === 0) return { report: { rows, bad: {}, badRows: [] }, numbers };

  const reasons = await connection.run(
    `SELECT ${added.reason} AS reason, count(*) AS n FROM ${rawName(table)} WHERE ${added.reason} IS NOT NULL
     GROUP BY ALL ORDER BY reason`,
  );
  const listed = await connection.run(
    `SELECT ${added.position} AS position, ${added.reason} AS reason, ${added.excerpt} AS excerpt
     FROM ${rawName(table)} WHERE ${added.reason} IS NOT NULL ORDER BY ${added.position} LIMIT ${limits.listedBadRows}`,
  );
  const badRows = listed.map((row): BadRow => ({
    table,
    ...place(Number(row['position'])),
    reason: row['reason'] as BadRowReason,
    excerpt: String(row['excerpt'] ?? ''),
  }));
  return {
    report: { rows, bad: Object.fromEntries(reasons.map((row) => [row['reason'], Number(row['n'])])), badRows },
    numbers,
  };
}

/**
 * Rows of separated values that could not be parsed at all: how many lines, and the first of them.
 *
 * @param header Whether the file's first line is a header.
 */
export async function rejectedRows(
  connection: Connection,
  rejects: string,
  header: boolean,
  listed: number,
): Promise<{ readonly rows: number; readonly listed: readonly Pick<BadRow, 'row' | 'excerpt'>[] }> {
  // A row with two faults is listed twice, and an open quote takes the lines after it along.
  const lines = `(SELECT line, any_value(csv_line) AS text FROM ${rejects} GROUP BY line)`;
  const { rows } = await connection.one(
    `SELECT coalesce(sum(1 + length(rtrim(text, chr(10))) - length(replace(rtrim(text, chr(10)), chr(10), ''))), 0) AS "rows"
     FROM ${lines}`,
  );
  const found = await connection.run(
    `SELECT line, left(text, 200) AS text FROM ${lines} ORDER BY line LIMIT ${listed}`,
  );
  await connection.run(`DROP TABLE ${rejects}; DROP TABLE ${rejects}_scan`);
  return {
    rows: Number(rows),
    listed: found.map((row) => ({ row: Number(row['line']) - (header ? 1 : 0), excerpt: String(row['text']) })),
  };
}

import type { BadRow, BadRowReason, StageReport, TableLimits, TableName } from '@user-llm/plugin';
import { idColumns } from '../canonical-columns.js';
import { identifier } from '../sql.js';
import type { Connection } from './connection.js';
import { integerOf, rawName, type StagedColumn } from './staged-table.js';

/** Finds the raw file and row, from 1, of a position. */
export type Place = (position: number) => Pick<BadRow, 'file' | 'row'>;

/** What a staged table holds: rows, bad rows, and which ids are plain decimal numbers. */
export interface Examination {
  readonly report: Omit<StageReport, 'duplicates'>;
  readonly integers: Readonly<Record<string, string>>;
}

/**
 * Counts the rows of a staged table in one scan, and lists the bad ones.
 *
 * Ids such as `42` (no sign, no leading zero) can be sorted as numbers in place of text; whether all are is found here.
 */
export async function examine(
  connection: Connection,
  table: TableName,
  staged: ReadonlyMap<string, StagedColumn>,
  limits: TableLimits,
  place: Place,
  onFraction?: (fraction: number) => void,
): Promise<Examination> {
  const ids = idColumns[table].map((id) => {
    if (staged.get(id)?.integer !== undefined) {
      return { id, number: integerOf(id), plain: `coalesce(min(${integerOf(id)}) >= 0, true)` };
    }
    const number = `try_cast(${identifier(id)} AS UBIGINT)`;
    const same = `coalesce(${number}::VARCHAR = ${identifier(id)}, false)`;
    return { id, number, plain: `coalesce(bool_and(${same}) FILTER (reason IS NULL), true)` };
  });
  const found = await connection.one(
    `SELECT count(*) AS "rows", count(reason) AS bad, ${ids.map(({ id, plain }) => `${plain} AS ${identifier(id)}`).join(', ')}
     FROM ${rawName(table)}`,
    onFraction,
  );
  const integers = Object.fromEntries(ids.filter(({ id }) => found[id] === true).map(({ id, number }) => [id, number]));
  const rows = Number(found['rows']);
  if (Number(found['bad']) === 0) return { report: { rows, bad: {}, badRows: [] }, integers };

  const reasons = await connection.run(
    `SELECT reason, count(*) AS n FROM ${rawName(table)} WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason`,
  );
  const listed = await connection.run(
    `SELECT position, reason, excerpt FROM ${rawName(table)} WHERE reason IS NOT NULL
     ORDER BY position LIMIT ${limits.listedBadRows}`,
  );
  const badRows = listed.map((row): BadRow => ({
    table,
    ...place(Number(row['position'])),
    reason: row['reason'] as BadRowReason,
    excerpt: String(row['excerpt'] ?? ''),
  }));
  return {
    report: { rows, bad: Object.fromEntries(reasons.map((row) => [row['reason'], Number(row['n'])])), badRows },
    integers,
  };
}

/** Rows of separated values that could not be parsed at all: how many lines, and the first of them. */
export async function rejectedRows(
  connection: Connection,
  rejects: string,
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
    listed: found.map((row) => ({ row: Number(row['line']) - 1, excerpt: String(row['text']) })),
  };
}

import type { BadRow, Column, RawTable, SeparatedFormat, StageReport, TableLimits, TableName } from '@user-llm/plugin';
import { columnNames } from '../../files/header.js';
import { firstLine } from '../../files/first-line.js';
import { isAddress } from '../../files/read-bytes.js';
import { added, literal } from '../sql.js';
import { firstLineAt, openAddresses } from './addresses.js';
import type { Connection } from './connection.js';
import { examine, rejectedRows, type Examination, type Place } from './examine.js';
import { jsonLinesRelation, parquetRelation, separatedRelation } from './raw-relation.js';
import { heldColumns, rawName, stagedColumns, stagedSelect, type StagedColumn } from './staged-table.js';

/** A raw table as the engine holds it: the relation `raw_events` or `raw_items`, whose rows know their positions. */
export interface StagedTable {
  readonly report: Omit<StageReport, 'duplicates'>;
  /** The canonical columns, in file order. */
  readonly columns: ReadonlyMap<string, StagedColumn>;
  /** The ids that are plain decimal numbers in all usable rows: those sort and count fast. */
  readonly numbers: Examination['numbers'];
}

type Raw = RawTable<Readonly<Record<string, Column | undefined>>>;
type OnFraction = (fraction: number) => void;

/** Name of the table that holds the rows of text files. */
const rowsName = (table: TableName) => `${rawName(table)}_rows`;

/** A raw file, and the position of its first row among those of all files. */
interface FileStart {
  readonly file: string;
  readonly first: number;
  /** Rows that could not be parsed, ascending; they have no position. */
  readonly rejected?: readonly number[];
}

/** Finds the file and row of a position. */
const placeIn =
  (starts: readonly FileStart[]): Place =>
  (position) => {
    const {
      file,
      first,
      rejected = [],
    } = starts.findLast((start) => start.first <= position) ?? { file: '', first: 0 };
    return { file, row: rejected.reduce((row, skipped) => (skipped <= row ? row + 1 : row), position - first + 1) };
  };

/**
 * Reads raw files into a relation of the connection and finds what is wrong with them.
 *
 * Text is parsed once into a table, whose row ids are the order of files and rows; Parquet stays where it is, behind
 * a view.
 */
export async function stage(
  connection: Connection,
  table: TableName,
  raw: Raw,
  limits: TableLimits,
  onFraction: OnFraction,
): Promise<StagedTable> {
  await openAddresses(connection, raw.files);
  return raw.format.kind === 'parquet'
    ? await stageParquet(connection, table, raw, limits, onFraction)
    : await stageText(connection, table, raw, limits, onFraction);
}

async function stageText(
  connection: Connection,
  table: TableName,
  { files, format, columns }: Raw,
  limits: TableLimits,
  onFraction: OnFraction,
): Promise<StagedTable> {
  const staged = stagedColumns(table, columns, format.kind);
  const rows = rowsName(table);
  const definitions = heldColumns(staged)
    .map(([name, type]) => `${name} ${type}, `)
    .join('');
  await connection.run(`CREATE TABLE ${rows} (${definitions}${added.reason} VARCHAR, ${added.excerpt} VARCHAR)`);

  const starts: FileStart[] = [];
  const rejected: BadRow[] = [];
  let [read, rejects] = [0, 0];
  for (const [index, file] of files.entries()) {
    const relation =
      format.kind === 'csv'
        ? separatedRelation(file, format, await namesOf(connection, file, format), `${rows}_rejects_${index}`)
        : jsonLinesRelation(file);
    const { Count: inserted } = await connection.one(
      `INSERT INTO ${rows} ${stagedSelect(table, staged, relation, limits)}`,
      (fraction) => onFraction((index + fraction) / files.length),
    );
    const found =
      format.kind === 'csv'
        ? await rejectedRows(connection, `${rows}_rejects_${index}`, format.names === undefined, limits.listedBadRows)
        : { rows: 0, listed: [] };
    starts.push({ file, first: read, rejected: found.listed.map(({ row }) => row) });
    read += Number(inserted);
    rejects += found.rows;
    rejected.push(...found.listed.map((bad): BadRow => ({ ...bad, table, file, reason: 'unreadable-row' })));
  }

  await connection.run(`CREATE VIEW ${rawName(table)} AS SELECT rowid AS ${added.position}, * FROM ${rows}`);
  const { report, numbers } = await examine(connection, table, limits, placeIn(starts));
  const unreadable = (report.bad['unreadable-row'] ?? 0) + rejects;
  return {
    report: {
      rows: report.rows + rejects,
      bad: unreadable > 0 ? { ...report.bad, 'unreadable-row': unreadable } : report.bad,
      badRows: [...rejected, ...report.badRows]
        .sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.row - b.row)
        .slice(0, limits.listedBadRows),
    },
    columns: staged,
    numbers,
  };
}

async function namesOf(connection: Connection, file: string, format: SeparatedFormat): Promise<readonly string[]> {
  if (format.names !== undefined) return format.names;
  return columnNames(await (isAddress(file) ? firstLineAt(connection, file) : firstLine(file)), format);
}

async function stageParquet(
  connection: Connection,
  table: TableName,
  { files, columns }: Raw,
  limits: TableLimits,
  onFraction: OnFraction,
): Promise<StagedTable> {
  const described = await connection.run(
    `DESCRIBE SELECT * FROM read_parquet([${files.map(literal).join(', ')}], union_by_name = true)`,
  );
  const types = Object.fromEntries(described.map((row) => [String(row['column_name']), String(row['column_type'])]));
  const staged = stagedColumns(table, columns, 'parquet', types);
  const starts = await parquetStarts(connection, files);
  const relation = parquetRelation(starts);
  await connection.run(`CREATE VIEW ${rawName(table)} AS ${stagedSelect(table, staged, relation, limits)}`);
  return { ...(await examine(connection, table, limits, placeIn(starts), onFraction)), columns: staged };
}

async function parquetStarts(connection: Connection, files: readonly string[]): Promise<readonly FileStart[]> {
  const starts: FileStart[] = [];
  let first = 0;
  for (const file of files) {
    starts.push({ file, first });
    const { n } = await connection.one(`SELECT num_rows AS n FROM parquet_file_metadata(${literal(file)})`);
    first += Number(n);
  }
  return starts;
}

/** Drops a staged table whose rows are not needed any more, so that its space is used again. */
export async function dropStaged(connection: Connection, table: TableName): Promise<void> {
  await connection.run(`DROP VIEW ${rawName(table)}; DROP TABLE IF EXISTS ${rowsName(table)}`);
}

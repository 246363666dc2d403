import type { RawFormat } from '@user-llm/plugin';
import { identifier, literal } from '../sql.js';

/** SQL that reads one raw file row by row, in the file's order. */
export interface RawRelation {
  readonly sql: string;
  /** SQL of the beginning of a raw row, for the list of bad rows. */
  readonly excerpt: string;
  /** SQL that is true for a row that is none of its format. */
  readonly unreadable: string;
  /** SQL of a number that orders rows by file and row, where a file says; text is ordered by being read in order. */
  readonly position?: string;
}

/** Names of the columns of a file of separated values, from its header line or its format. */
export type ColumnNames = readonly string[];

/** Reads one file of separated values as text; rows that are none go to the table `rejected`. */
export function separatedRelation(
  file: string,
  format: Extract<RawFormat, { kind: 'csv' }>,
  names: ColumnNames,
  rejected: string,
): RawRelation {
  const columns = names.map((name) => `${literal(name)}: 'VARCHAR'`).join(', ');
  const quote = (format.quoted ?? true) ? '"' : '';
  const separator = format.separator ?? ',';
  return {
    sql: `read_csv(${literal(file)}, columns = {${columns}}, auto_detect = false, header = ${format.names === undefined},
      delim = ${literal(separator)}, quote = ${literal(quote)}, escape = ${literal(quote)},
      store_rejects = true, rejects_table = ${literal(rejected)}, rejects_scan = ${literal(`${rejected}_scan`)})`,
    excerpt: `left(concat_ws(${literal(separator)}, ${names.map(identifier).join(', ')}), 200)`,
    unreadable: 'false',
  };
}

/** Reads one file of JSON lines; a line that is no object reads as null. */
export function jsonLinesRelation(file: string): RawRelation {
  return {
    sql: `read_ndjson_objects(${literal(file)}, ignore_errors = true, maximum_object_size = 67108864)`,
    excerpt: `left(json::VARCHAR, 200)`,
    unreadable: `json IS NULL OR json_type(json) IS DISTINCT FROM 'OBJECT'`,
  };
}

/** Bits of a position below the number of the file. */
export const rowBits = 40;

/** Reads Parquet files, which know the place of each row. */
export function parquetRelation(files: readonly string[]): RawRelation {
  return {
    sql: `(SELECT *, file_index, file_row_number FROM read_parquet([${files.map(literal).join(', ')}], union_by_name = true)) AS "=raw"`,
    excerpt: `left("=raw"::VARCHAR, 200)`,
    unreadable: 'false',
    position: `((file_index::UBIGINT << ${rowBits}) | file_row_number::UBIGINT)`,
  };
}

import type { RawFormat } from '@user-llm/plugin';
import { identifier, literal } from '../sql.js';

/** SQL that reads raw files row by row, in their order. */
export interface RawRelation {
  readonly sql: string;
  /** SQL of the beginning of a raw row that is called `"=raw"`, for the list of bad rows. */
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
    excerpt: `left(concat_ws(${literal(separator)}, ${names.map((name) => `coalesce("=raw".${identifier(name)}, '')`).join(', ')}), 200)`,
    unreadable: 'false',
  };
}

/** Reads one file of JSON lines; a line that is no object reads as null. */
export function jsonLinesRelation(file: string): RawRelation {
  return {
    sql: `read_ndjson_objects(${literal(file)}, ignore_errors = true, maximum_object_size = 67108864)`,
    excerpt: `left("=raw".json::VARCHAR, 200)`,
    unreadable: `json IS NULL OR json_type(json) IS DISTINCT FROM 'OBJECT'`,
  };
}

/**
 * Reads Parquet files, which know the place of each row.
 *
 * @param files With the position of the first row of each.
 */
export function parquetRelation(files: readonly { readonly file: string; readonly first: number }[]): RawRelation {
  const names = files.map(({ file }) => literal(file)).join(', ');
  const first =
    files.length === 1 ? '' : `[${files.map((start) => start.first).join(', ')}][file_index::INTEGER + 1] + `;
  return {
    sql: `(SELECT *, file_index, file_row_number FROM read_parquet([${names}], union_by_name = true))`,
    excerpt: `left("=raw"::VARCHAR, 200)`,
    unreadable: 'false',
    position: `(${first}file_row_number)`,
  };
}

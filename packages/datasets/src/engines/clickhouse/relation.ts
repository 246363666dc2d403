import type { RawFormat } from '@user-llm/plugin';
import { identifier, text } from './raw-value.js';

/** SQL that reads one raw file row by row, in the file's order. */
export interface RawRelation {
  readonly sql: string;
  /** SQL of the beginning of a raw row, for the list of bad rows. */
  readonly excerpt: string;
  /** SQL that is true for a row that is none of its format. */
  readonly unreadable: string;
}

/** A column after the last: what is in it is too much. */
const surplus = identifier('=surplus');

const strings = (names: readonly string[]) => names.map((name) => `${identifier(name)} Nullable(String)`).join(', ');

/** Reads one file; `names` are the columns of separated values. */
export function rawRelation(file: string, format: RawFormat, names: readonly string[]): RawRelation {
  switch (format.kind) {
    case 'csv': {
      const separator = format.separator ?? ',';
      const fields = names.map((name) => `ifNull(${identifier(name)}, '')`).join(', ');
      const read = (format.quoted ?? true) ? quoted : unquoted;
      return {
        sql: read(file, separator, names, format.names === undefined),
        excerpt: excerptOf(`arrayStringConcat([${fields}], ${text(separator)})`),
        unreadable: `isNull(${identifier(names.at(-1) ?? '')}) OR isNotNull(${surplus})`,
      };
    }
    case 'jsonl':
      return {
        sql: `file(${text(file)}, 'LineAsString', 'line String')`,
        excerpt: excerptOf('line'),
        unreadable: `JSONType(line) != 'Object'`,
      };
    case 'parquet':
      return { sql: `file(${text(file)}, 'Parquet')`, excerpt: excerptOf('toString(tuple(*))'), unreadable: 'false' };
  }
}

const excerptOf = (row: string) => `substringUTF8(${row}, 1, 200)`;

function quoted(file: string, separator: string, names: readonly string[], header: boolean): string {
  return `(SELECT * FROM file(${text(file)}, 'CSV', ${text(`${strings(names)}, ${surplus} Nullable(String)`)})
    SETTINGS format_csv_delimiter = ${text(separator)}, input_format_csv_skip_first_lines = ${header ? 1 : 0})`;
}

/** Lines cut at the separator, whatever quotes they hold. */
function unquoted(file: string, separator: string, names: readonly string[], header: boolean): string {
  const field = (at: number) => `if(length(fields) >= ${at}, toNullable(fields[${at}]), NULL)`;
  const columns = names.map((name, at) => `${field(at + 1)} AS ${identifier(name)}`);
  return `(SELECT ${columns.join(', ')}, ${field(names.length + 1)} AS ${surplus} FROM
    (SELECT splitByString(${text(separator)}, trimRight(line, '\\r')) AS fields FROM file(${text(file)}, 'LineAsString', 'line String')
     ${header ? 'OFFSET 1' : ''}))`;
}

import type { RawColumn, RawFormat } from '@user-llm/plugin';
import { alternatives, identifier, literal } from '../sql.js';

/** SQL for what a raw column holds, in the forms that canonical columns are made of. All are null where there is none. */
export interface RawValue {
  /** As `VARCHAR`; a list becomes its texts joined by `join`. */
  text(join?: string): string;
  /** As `VARCHAR[][]`: a list of lists, a plain list being the only one. */
  lists(): string;
  /** The value itself when it is a number by type, so that no text is made of it. */
  readonly number?: string;
  /** The value itself when it is a whole number by type. */
  readonly integer?: string;
  /** The value itself when it is a timestamp by type. */
  readonly timestamp?: string;
}

/** Types by name of the columns of a Parquet file, as `DESCRIBE` tells them. */
export type ColumnTypes = Readonly<Record<string, string>>;

const firstOf = (expressions: readonly string[]) =>
  expressions.length === 1 ? String(expressions[0]) : `coalesce(${expressions.join(', ')})`;

const jsonPath = (path: string) =>
  literal(
    `$${path
      .split('.')
      .map((key) => `."${key}"`)
      .join('')}`,
  );

function jsonValue(from: RawColumn): RawValue {
  const paths = alternatives(from).map(jsonPath);
  const value = firstOf(paths.map((path) => `nullif(json_extract(json, ${path}), 'null'::JSON)`));
  const scalar = firstOf(paths.map((path) => `json_extract_string(json, ${path})`));
  const strings = (json: string) => `json_extract_string(${json}, '$[*]')`;
  return {
    text: (join) =>
      join === undefined
        ? scalar
        : `CASE json_type(${value}) WHEN 'ARRAY' THEN array_to_string(${strings(value)}, ${literal(join)}) ELSE ${scalar} END`,
    lists: () => `CASE WHEN json_type(${value}, '$[0]') = 'ARRAY'
      THEN list_transform(json_extract(${value}, '$[*]'), lambda entry: ${strings('entry')})
      WHEN json_type(${value}) = 'ARRAY' THEN [${strings(value)}]
      WHEN ${scalar} IS NOT NULL THEN [[${scalar}]] END`,
  };
}

function separatedValue(from: RawColumn): RawValue {
  const scalar = firstOf(alternatives(from).map(identifier));
  return { text: () => scalar, lists: () => `CASE WHEN ${scalar} IS NOT NULL THEN [[${scalar}]] END` };
}

const integerTypes = /^U?(TINY|SMALL|BIG)?INT(EGER)?$/;
const numberTypes = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*)$/;

function parquetValue(from: RawColumn, types: ColumnTypes): RawValue {
  const present = alternatives(from).filter((path) => types[path.split('.')[0] ?? ''] !== undefined);
  const expressions = present.map((path) => path.split('.').map(identifier).join('.'));
  if (expressions.length === 0) return { text: () => 'NULL::VARCHAR', lists: () => 'NULL::VARCHAR[][]' };
  const value = firstOf(expressions);
  const type = expressions.length === 1 ? (types[present[0] ?? ''] ?? '') : '';
  const scalar = `(${value})::VARCHAR`;
  return {
    text: (join) => (type.endsWith('[]') ? `array_to_string((${value})::VARCHAR[], ${literal(join ?? ' ')})` : scalar),
    lists: () => {
      if (type.endsWith('[][]')) return `(${value})::VARCHAR[][]`;
      if (type.endsWith('[]')) return `CASE WHEN ${value} IS NOT NULL THEN [(${value})::VARCHAR[]] END`;
      return `CASE WHEN ${value} IS NOT NULL THEN [[${scalar}]] END`;
    },
    ...(numberTypes.test(type) && { number: value }),
    ...(integerTypes.test(type) && { integer: value }),
    ...(type.startsWith('TIMESTAMP') && { timestamp: value }),
  };
}

/**
 * The raw value of a column, given how its files are read.
 *
 * @param types Types of the columns of a Parquet file; other formats hold text alone.
 */
export function rawValue(format: RawFormat['kind'], from: RawColumn, types: ColumnTypes): RawValue {
  switch (format) {
    case 'csv':
      return separatedValue(from);
    case 'jsonl':
      return jsonValue(from);
    case 'parquet':
      return parquetValue(from, types);
  }
}

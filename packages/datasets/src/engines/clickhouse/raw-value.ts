import type { RawColumn, RawFormat } from '@user-llm/plugin';
import { alternatives, literal } from '../sql.js';

/** SQL for what a raw column holds. All are null, or no lists, where there is none. */
export interface RawValue {
  /** As `Nullable(String)`; a list becomes its texts joined by `join`. */
  text(join?: string): string;
  /** As `Array(Array(String))`: a list of lists, a plain list being the only one. */
  lists(): string;
  /** Milliseconds since 1970, when the column is a timestamp by type. */
  readonly milliseconds?: string;
}

/** A name as an identifier of ClickHouse. */
export const identifier = (name: string): string => `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;

/** A text as a literal of ClickHouse, where a backslash escapes. */
export const text = (value: string): string => literal(value.replaceAll('\\', '\\\\'));

const firstOf = (expressions: readonly string[]) =>
  expressions.length === 1 ? String(expressions[0]) : `coalesce(${expressions.join(', ')})`;

function separatedValue(from: RawColumn): RawValue {
  const scalar = firstOf(alternatives(from).map((name) => `nullIf(${identifier(name)}, '')`));
  return { text: () => scalar, lists: () => `if(isNull(${scalar}), [], [[assumeNotNull(${scalar})]])` };
}

/** The texts of a list in JSON, nulls left out. */
const strings = (list: string) =>
  `arrayMap(e -> if(JSONType(e) = 'String', JSONExtractString(e), e), arrayFilter(e -> e != 'null', JSONExtractArrayRaw(${list})))`;

function jsonValue(from: RawColumn): RawValue {
  const paths = alternatives(from).map((path) => path.split('.').map(text).join(', '));
  const raw = firstOf(
    paths.map((path) => `if(JSONType(line, ${path}) = 'Null', NULL, toNullable(JSONExtractRaw(line, ${path})))`),
  );
  const json = `ifNull(${raw}, '')`;
  const scalar = `if(JSONType(${json}) = 'String', JSONExtractString(${json}), ${raw})`;
  return {
    text: (join) =>
      join === undefined
        ? scalar
        : `if(JSONType(${json}) = 'Array', toNullable(arrayStringConcat(${strings(json)}, ${text(join)})), ${scalar})`,
    lists: () => `multiIf(
      JSONType(${json}, 1) = 'Array', arrayMap(l -> ${strings('l')}, JSONExtractArrayRaw(${json})),
      JSONType(${json}) = 'Array', [${strings(json)}],
      isNull(${raw}), [], [[assumeNotNull(${scalar})]])`,
  };
}

function parquetValue(from: RawColumn, types: Readonly<Record<string, string>>): RawValue {
  const present = alternatives(from).filter((path) => types[path.split('.')[0] ?? ''] !== undefined);
  if (present.length === 0)
    return { text: () => "CAST(NULL, 'Nullable(String)')", lists: () => "CAST([], 'Array(Array(String))')" };
  const value = firstOf(present.map((path) => path.split('.').map(identifier).join('.')));
  const type = present.length === 1 ? (types[present[0] ?? ''] ?? '') : '';
  const scalar = `CAST(${value}, 'Nullable(String)')`;
  const list = (of: string) => `arrayMap(e -> assumeNotNull(toString(e)), arrayFilter(e -> isNotNull(e), ${of}))`;
  return {
    text: (join) =>
      type.startsWith('Array') ? `toNullable(arrayStringConcat(${list(value)}, ${text(join ?? ' ')}))` : scalar,
    lists: () => {
      if (type.startsWith('Array(Array')) return `arrayMap(l -> ${list('l')}, ${value})`;
      return type.startsWith('Array') ? `[${list(value)}]` : `if(isNull(${scalar}), [], [[assumeNotNull(${scalar})]])`;
    },
    ...(/^(Nullable\()?DateTime64/.test(type) && {
      milliseconds: `toUnixTimestamp64Milli(toDateTime64(${value}, 3, 'UTC'))`,
    }),
  };
}

/**
 * The raw value of a column, given how its files are read.
 *
 * @param types Types of the columns of a Parquet file; other formats hold text alone.
 */
export function rawValue(
  format: RawFormat['kind'],
  from: RawColumn,
  types: Readonly<Record<string, string>>,
): RawValue {
  switch (format) {
    case 'csv':
      return separatedValue(from);
    case 'jsonl':
      return jsonValue(from);
    case 'parquet':
      return parquetValue(from, types);
  }
}

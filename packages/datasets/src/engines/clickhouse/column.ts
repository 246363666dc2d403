import type { Column } from '@user-llm/plugin';
import { text, type RawValue } from './raw-value.js';

/** SQL of a canonical column: its value, its type, and whether what stands there cannot be read. */
export interface ColumnSql {
  readonly type: string;
  readonly value: string;
  /** True where there is something that cannot be read; absent for kinds that read everything. */
  readonly unreadable?: string;
}

type Kind = Column['kind'];
type ColumnRules = { readonly [K in Kind]: (column: Extract<Column, { kind: K }>, raw: RawValue) => ColumnSql };

const millisecondsPer = { seconds: 1000, milliseconds: 1, microseconds: 0.001 } as const;

/** How each kind of column is made in ClickHouse; a kind without its rule does not compile. */
const rules: ColumnRules = {
  text: (column, raw) => ({ type: 'Nullable(String)', value: `nullIf(${raw.text(column.join)}, '')` }),

  number: (column, raw) => {
    const given = `nullIf(trimBoth(${raw.text()}), '')`;
    const lenient = column.unreadable === 'none';
    const parsed = `toFloat64OrNull(${lenient ? `replaceRegexpAll(${given}, '[$,]', '')` : given})`;
    const value = `if(isFinite(${parsed}), ${parsed}, NULL)`;
    const type = 'Nullable(Float64)';
    return lenient ? { type, value } : { type, value, unreadable: `isNotNull(${given}) AND isNull(${value})` };
  },

  boolean: (_, raw) => ({
    type: 'Nullable(Bool)',
    value: `multiIf(lower(${raw.text()}) IN ('true', '1', 't', 'yes'), toNullable(true),
      lower(${raw.text()}) IN ('false', '0', 'f', 'no'), false, NULL)`,
  }),

  time: (column, raw) => {
    const type = 'Nullable(Int64)';
    if (raw.milliseconds !== undefined) return { type, value: raw.milliseconds };
    const given = `nullIf(trimBoth(${raw.text()}), '')`;
    const number = `round(toFloat64OrNull(${given}) * ${column.unit === 'iso' ? 1 : millisecondsPer[column.unit]})`;
    const value =
      column.unit === 'iso'
        ? `toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull(${given}, 3, 'UTC'))`
        : `if(abs(${number}) < 9e18, toInt64(${number}), NULL)`;
    return { type, value, unreadable: `isNotNull(${given}) AND isNull(${value})` };
  },

  texts: (column, raw) => {
    const lists = raw.lists();
    const skipped = column.skip
      ? `arrayMap(l -> if(length(l) > ${column.skip}, arraySlice(l, ${column.skip + 1}), l), ${lists})`
      : lists;
    const split =
      column.separator === undefined
        ? `arrayFlatten(${skipped})`
        : `arrayFlatten(arrayMap(x -> splitByString(${text(column.separator)}, x), arrayFlatten(${skipped})))`;
    const omitted = ['', ...(column.omit ?? [])].map(text).join(', ');
    return {
      type: 'Array(String)',
      value: `arrayDistinct(arrayFilter(x -> x NOT IN (${omitted}), arrayMap(x -> trimBoth(x), ${split})))`,
    };
  },
};

/** The SQL of one canonical column. */
export function columnSql(column: Column, raw: RawValue): ColumnSql {
  const rule = rules[column.kind] as (column: Column, raw: RawValue) => ColumnSql;
  return rule(column, raw);
}
